"""Posted forms, within the same bounds of size and time as calls."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from cds_service.arrival import Body
from cds_service.engine import Engine
from cds_service.errors import BadRequest, UnsupportedEncoding

MAX_FIELDS = 1000
_KIND = "application/x-www-form-urlencoded"


async def read_form(request: Request, engine: Engine) -> dict[str, str]:
    """Name -> value; the last one of a name that comes twice.

    Raises:
        UnsupportedEncoding: not sent as a browser sends a plain form.
        BadRequest: not text, or too many fields.
        BodyTooLarge, BodyTooSlow, Overloaded: as for calls.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise UnsupportedEncoding("Send the form as a browser does.")
    held, settings = Body(engine.admission), engine.settings
    try:
        body = await held.read(
            request.headers,
            request.receive,
            # Percent-encoding makes JSON about half as long again.
            limit=2 * settings.max_body_bytes,
            seconds=settings.body_deadline_ms / 1000,
        )
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise BadRequest("The form could not be understood.") from None
    finally:
        held.let_go()
