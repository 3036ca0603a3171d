# Not built by a container engine yet by the project: see "With Docker" in README.md. Its steps are replayed, without an
# engine, in a clean Debian root by `.ci/replay-dockerfile`.
# A site pins the base image to the digest it has checked: docker build --build-arg BASE=python:3.12-slim@sha256:...
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock ./
# Every wheel is compared with its hash in the lock; after this step nothing is fetched any more.
RUN python -m pip download --quiet --require-hashes --only-binary :all: --requirement requirements.lock --dest /wheels
COPY pyproject.toml README.md LICENSE ./
COPY cds_service cds_service
COPY hooks hooks
RUN python -m pip install --quiet --root-user-action ignore --no-index --find-links /wheels hatchling
RUN python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels .
# Only what the service needs at run time is installed; the lock's development tools stay behind, and so does pip.
RUN python -m venv --without-pip /opt/cds-service
RUN python -m pip --python /opt/cds-service/bin/python install --quiet --no-index --find-links /wheels "calciphylaxis-cds[postgres]"

FROM ${BASE}
ENV PATH=/opt/cds-service/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CDS_STORE_URL=sqlite:////data/cds.sqlite
WORKDIR /app
COPY --from=build /opt/cds-service /opt/cds-service
COPY fixtures fixtures
COPY scripts/load_fixtures.py scripts/first_start.py scripts/
# /data is the only place that the service writes to; the rest of the file system may be read-only.
# A new volume mounted on one of these folders takes over its owner and mode.
RUN install --directory --owner 10001 --group 10001 --mode 0700 /data
RUN install --directory --owner 10001 --group 10001 --mode 0755 /secrets /secrets/service /secrets/database /secrets/proxy
VOLUME /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/health', timeout=3)"]
ENTRYPOINT ["cds-service"]
# Beyond loopback the service starts only in production with known clients, or with CDS_TRUSTED_NETWORK=true.
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
