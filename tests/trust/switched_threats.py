"""Switches of the defences against threats."""

from switch import APP, CLIENT, KEYS, NORMALISE, REQUEST, SEARCH, STAGES, TEXT, VERIFY, S, Switch

# Reads go beneath the sessions of `requests`; through one, each of the things it does is back.
_BENEATH = """\
        answer: Any = self.send(
            prepared, stream=True, timeout=timeout, verify=self._verify, proxies=self._proxies
        )
"""


def _session(options: str) -> str:
    return f"""\
        session = vars(self).setdefault("session", requests.Session())
        given = {{"timeout": timeout, "verify": self._verify, "proxies": self._proxies}}
        answer: Any = session.request(prepared.method, prepared.url, headers=prepared.headers, data=prepared.body, {options}, **given).raw
"""


THREATS = (
    # --- who calls
    Switch("T1", "the signature decides", VERIFY, "        if not genuine:\n", "        if False:\n"),
    Switch(
        "T1",
        "every cause gets the same words",
        APP,
        '"The caller could not be authenticated.")',
        "str(vars(error)))",
    ),
    Switch(
        "T2",
        "any exception is a refusal",
        VERIFY,
        "            raise Unauthenticated(Cause.ERROR, fields) from None\n",
        "            raise\n",
    ),
    Switch(
        "T3",
        "a foreign key address is refused",
        VERIFY,
        "        if profile.jwks_url is not None and jku is not None and jku != profile.jwks_url:\n",
        "        if False:\n",
    ),
    Switch(
        "T4",
        "one fetch in a minute",
        KEYS,
        "        if keys.attempted_at is not None and now - keys.attempted_at < MIN_INTERVAL_S:\n",
        "        if False:\n",
    ),
    Switch(
        "T5",
        "another body is a replay",
        S + "store/commit.py",
        "    if known_body == body_hash and now - seen_at <= REPEAT_WINDOW_S:\n",
        "    if now - seen_at <= REPEAT_WINDOW_S:\n",
    ),
    Switch(
        "T5",
        "bounded memory",
        S + "store/memory.py",
        "        if len(self._seen) > self._capacity:\n",
        "        if False:\n",
    ),
    Switch(
        "T6",
        "a limit to a token's life",
        VERIFY,
        "        if not 0 < claims.exp - claims.iat <= profile.max_token_age_s:\n",
        "        if claims.exp < claims.iat:\n",
    ),
    Switch(
        "T7",
        "the audience is compared",
        VERIFY,
        "        if not any(one in audience_urls or one in profile.audience for one in meant_for):\n",
        "        if False:\n",
    ),
    Switch("T8", "no redirects from the Host header", APP, "        redirect_slashes=False,\n", ""),
    Switch(
        "T9",
        "the Sandbox stays in development",
        S + "clients/load.py",
        "    if production and profile.preset in DEVELOPMENT_ONLY:\n",
        "    if False:\n",
    ),
    # --- whom we call
    Switch(
        "T10",
        "only the client's own FHIR server",
        STAGES,
        '        reached = named if named in {base.rstrip("/") for base in call.profile.fhir_base} else None\n',
        "        reached = named\n",
    ),
    Switch(
        "T10",
        "only the addresses of the settings, for a caller without a profile",
        STAGES,
        "        reached = call.engine.fhir_names.get(named)\n",
        "        reached = named\n",
    ),
    Switch(
        "T11",
        "no redirects",
        CLIENT,
        _BENEATH,
        _session("stream=True"),
    ),
    Switch(
        "T11",
        "the body of a redirect is not read",
        CLIENT,
        _BENEATH,
        _session("stream=True, allow_redirects=False"),
    ),
    Switch(
        "T11",
        "addresses stay under the base",
        SEARCH,
        '    if origin != _origin(have) or (found != path and not found.startswith(f"{path}/")):\n',
        '    if found != path and not found.startswith(f"{path}/"):\n',
    ),
    Switch(
        "T12",
        "ids have a closed alphabet",
        S + "protocol/prefetch.py",
        "        if not is_safe_id(value):\n",
        "        if False:\n",
    ),
    Switch(
        "T12",
        "a patient's id is an id",
        REQUEST,
        "    if not _SAFE_ID.fullmatch(patient_id):\n",
        "    if False:\n",
    ),
    Switch("T13", "the environment is not looked at", CLIENT, _BENEATH, _session("stream=True")),
    # --- what leaks
    Switch(
        "T14",
        "errors have our own words",
        S + "errors.py",
        "        super().__init__(message)\n        self.message = message\n",
        '        super().__init__(message)\n        import sys\n\n        self.message = f"{message} {sys._getframe(1).f_locals}"\n',
    ),
    Switch(
        "T14",
        "logs have allowed fields only",
        S + "logs.py",
        "        del event[name]\n",
        "        event.get(name)\n",
    ),
    Switch(
        "T14",
        "an unexpected error is not printed",
        S + "shield.py",
        "error_class=type(error).__name__, error_id=error_id)",
        "error_class=type(error).__name__, reason=str(error), error_id=error_id)",
    ),
    Switch(
        "T15",
        "cookies of one call are not kept",
        CLIENT,
        _BENEATH,
        _session("stream=True"),
    ),
    Switch(
        "T15",
        "identifiers are hashed",
        S + "store/rows.py",
        "        return hashed.hexdigest()[:_HASH_CHARACTERS]\n",
        "        return value\n",
    ),
    # --- bodies
    Switch(
        "T16",
        "a body is counted as it comes",
        S + "arrival.py",
        "                    if self._held + len(chunk) > limit:\n",
        "                    if False:\n",
    ),
    Switch(
        "T16",
        "a body that does not come is given up",
        S + "arrival.py",
        "            async with asyncio.timeout(seconds):\n",
        "            async with asyncio.timeout(None):\n",
    ),
    Switch(
        "T17",
        "compressed bodies are refused",
        S + "arrival.py",
        '        if headers.get("content-encoding", "identity").lower() != "identity":\n',
        "        if False:\n",
    ),
    Switch(
        "T17",
        "nesting without end is caught",
        S + "fhir/decode.py",
        "DecodeFailure = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)\n",
        "DecodeFailure = (msgspec.MsgspecError, UnicodeDecodeError)\n",
    ),
    Switch(
        "T18",
        "a cap on decoded bytes",
        CLIENT,
        "            if len(body) > self._max_bytes:\n",
        "            if False:\n",
    ),
    Switch(
        "T19",
        "text is cut before it is matched",
        S + "terminology/medication.py",
        "    text = text[:MAX_TEXT]\n",
        '    text = "".join(sorted(text, key=text.count))\n',
    ),
    # --- cards
    Switch(
        "T20",
        "text is escaped",
        TEXT,
        "        return _escaped(text) if self._markdown else text\n",
        "        return text\n",
    ),
    Switch(
        "T20",
        "text is one line",
        TEXT,
        '    return " ".join(text.split())\n',
        "    return text\n",
        ((TEXT, '    text = "".join(c if c.isprintable() else " " for c in text)\n', ""),),
    ),
    Switch(
        "T21",
        "only an unmistakable draft is deleted",
        S + "card.py",
        "        return sum(each.reference == order.reference for each in self._facts.orders) == 1\n",
        "        return True\n",
    ),
    Switch(
        "T22",
        "the client is part of a hash",
        S + "store/rows.py",
        '        message = f"{kind}\\x1f{client}\\x1f{value}"',
        '        message = f"{kind}\\x1f{value}"',
    ),
    Switch(
        "T23",
        "another patient's Patient stops the call",
        STAGES,
        '            elif resource.resourceType == "Patient" and str(resource.id) != request.patient_id:\n',
        "            elif False:\n",
        (
            (
                NORMALISE,
                "            if str(resource.id) != self._setting.patient_id:\n",
                "            if False:\n",
            ),
        ),
    ),
    Switch(
        "T24",
        "exact origins",
        APP,
        "            allow_origins=list(settings.cors_origins),\n",
        '            allow_origins=["*"],\n',
    ),
    Switch(
        "T25",
        "feedback is joined with the client's own cards",
        S + "store/reports.py",
        "and_(CARD.c.uuid == FEEDBACK.c.card_uuid, CARD.c.client == FEEDBACK.c.client)",
        "and_(CARD.c.uuid == FEEDBACK.c.card_uuid)",
    ),
    Switch(
        "T25",
        "comments have a size",
        S + "protocol/feedback.py",
        ".strip()[:limit] or None\n",
        ".strip() or None\n",
    ),
    Switch(
        "T26",
        "traces are closed in production",
        APP,
        '        if engine.settings.environment == "production":\n            raise UnknownService',
        "        if False:\n            raise UnknownService",
    ),
    Switch(
        "T27",
        "a rate for each client",
        S + "load/rates.py",
        "        if left < 1:\n",
        "        if False:\n",
    ),
    Switch(
        "T28",
        "the key is a secret",
        S + "settings.py",
        "    hash_key: SecretStr = Field(",
        "    hash_key: Any = Field(",
    ),
    Switch("T29", "the image's user", "Dockerfile", "USER 10001:10001\n", ""),
    Switch(
        "T30",
        "numbers have bounds",
        S + "settings.py",
        "    if number is None or not number.is_finite() or not low <= number <= high:\n",
        "    if number is None:\n",
    ),
    Switch(
        "T32",
        "who calls is asked first",
        STAGES,
        '        call.profile = await caller_profile(call.engine, headers, f"/cds-services/{service_id}", call.body)\n',
        '        if service_id not in call.engine.services:\n            raise UnknownService("There is no service with this id.")\n'
        '        call.profile = await caller_profile(call.engine, headers, f"/cds-services/{service_id}", call.body)\n',
    ),
    Switch(
        "T26",
        "operators bring the key of the site",
        S + "web/operators.py",
        '    if key is None or _brings(request.headers.get("authorization", ""), key.get_secret_value()):\n',
        "    if True:\n",
    ),
)
