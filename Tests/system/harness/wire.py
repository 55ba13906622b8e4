"""The bot's wire, field by field: configuration, commands, reports, stream entries, live messages.

Each table is the exact set of fields that the wire has. `check` fails on a field that is missing, of another type or
not in the table; pass `unknown_allowed=True` for what comes in, where further fields must be tolerated.
"""

PLATFORMS = ("google_meet", "teams", "zoom")
STATUSES = ("joining", "awaiting_admission", "active", "needs_help", "completed", "failed")
COMPLETION_REASONS = (
    "stopped", "left_alone", "startup_alone", "evicted", "awaiting_admission_timeout", "awaiting_admission_rejected",
    "join_failure", "auth_session_missing", "validation_error", "max_bot_time_exceeded")
FAILURE_STAGES = ("requested", "joining", "awaiting_admission", "active")

# From each status, those that may follow. The first report is joining; completed and failed are the last.
LEGAL = {
    None: {"joining"},
    "joining": {"awaiting_admission", "active", "failed"},
    "awaiting_admission": {"active", "needs_help", "failed"},
    "needs_help": {"active", "failed"},
    "active": {"completed", "failed"},
    "completed": set(),
    "failed": set(),
}


class WireError(AssertionError):
    """Something on the wire is not as the wire has it."""


class Kind:
    """What a value may be: `accepts` tells, `name` completes "must be ..."."""

    def __init__(self, name, accepts):
        self.name = name
        self.accepts = accepts

    def check(self, value, path, unknown_allowed):
        if not self.accepts(value):
            raise WireError(f"{path} must be {self.name}, but is {value!r:.200}")


class ListOf(Kind):
    """A list, each of whose elements is of one kind."""

    def __init__(self, element):
        super().__init__("a list", lambda value: isinstance(value, list))
        self.element = element

    def check(self, value, path, unknown_allowed):
        super().check(value, path, unknown_allowed)
        for index, element in enumerate(value):
            self.element.check(element, f"{path}[{index}]", unknown_allowed)


class ObjectOf(Kind):
    """An object with the fields of a table: {name: kind}, those that must be there and those that may be."""

    def __init__(self, required, optional=None):
        super().__init__("an object", lambda value: isinstance(value, dict))
        self.required = required
        self.optional = optional or {}

    @property
    def fields(self):
        return {**self.required, **self.optional}

    def check(self, value, path, unknown_allowed):
        super().check(value, path, unknown_allowed)
        for name in self.required:
            if name not in value:
                raise WireError(f"{path}.{name} is missing")
        for name, member in value.items():
            kind = self.fields.get(name)
            if kind is not None:
                kind.check(member, f"{path}.{name}", unknown_allowed)
            elif not unknown_allowed:
                raise WireError(f"{path}.{name} is not a field of the wire")


def choice(names):
    return Kind("one of " + ", ".join(names), lambda value: value in names)


def _is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


STRING = Kind("a string", lambda value: isinstance(value, str))
TEXT = Kind("a string that is not empty", lambda value: isinstance(value, str) and value != "")
STRING_OR_NULL = Kind("a string or null", lambda value: value is None or isinstance(value, str))
INTEGER = Kind("an integer", _is_integer)
NUMBER_ID = Kind("an integer from 1", lambda value: _is_integer(value) and value >= 1)
DURATION_MS = Kind("milliseconds", lambda value: _is_integer(value) and value >= 0)
SECONDS = Kind("seconds from 0", lambda value: (_is_integer(value) or isinstance(value, float)) and value >= 0)
NUMBER = Kind("a number", lambda value: _is_integer(value) or isinstance(value, float))
BOOLEAN = Kind("true or false", lambda value: isinstance(value, bool))
ANYTHING = Kind("anything", lambda value: True)

CONFIG = ObjectOf(
    required={"platform": choice(PLATFORMS), "meetingUrl": TEXT, "botName": TEXT, "redisUrl": TEXT},
    optional={
        "passcode": TEXT, "nativeMeetingId": TEXT, "token": TEXT, "connectionId": TEXT, "meeting_id": NUMBER_ID,
        "container_name": TEXT, "meetingApiCallbackUrl": TEXT, "internalSecret": TEXT, "language": TEXT,
        "task": choice(("transcribe", "translate")), "allowedLanguages": ListOf(TEXT), "transcribeEnabled": BOOLEAN,
        "transcriptionTier": choice(("realtime", "deferred")), "transcriptionServiceUrl": TEXT,
        "transcriptionServiceToken": TEXT, "transcriptionModel": TEXT, "recordingEnabled": BOOLEAN,
        "captureModes": ListOf(TEXT), "recordingUploadUrl": TEXT,
        "automaticLeave": ObjectOf(required={}, optional={
            "waitingRoomTimeout": DURATION_MS, "noOneJoinedTimeout": DURATION_MS, "everyoneLeftTimeout": DURATION_MS}),
        "reconnectionIntervalMs": DURATION_MS, "voiceAgentEnabled": BOOLEAN,
    })

# By action, without the action itself.
COMMANDS = {
    "leave": ObjectOf({}),
    "reconfigure": ObjectOf({}, {
        "language": STRING_OR_NULL, "task": choice(("transcribe", "translate")), "allowedLanguages": ListOf(TEXT)}),
    "speak": ObjectOf({"text": TEXT}, {"voice": TEXT}),
    "speak_audio": ObjectOf({}),
    "speak_stop": ObjectOf({}),
    "chat_send": ObjectOf({"text": TEXT}),
    "chat_read": ObjectOf({}),
    "screen_show": ObjectOf({}),
    "screen_stop": ObjectOf({}),
    "avatar_set": ObjectOf({"url": TEXT}),
    "avatar_reset": ObjectOf({}),
}

REPORT = ObjectOf(
    required={"connection_id": TEXT, "status": choice(STATUSES)},
    optional={
        "container_id": TEXT, "reason": STRING, "exit_code": INTEGER,
        "completion_reason": choice(COMPLETION_REASONS), "failure_stage": choice(FAILURE_STAGES),
        "bot_logs": ANYTHING, "bot_resources": ANYTHING, "speaker_events": ANYTHING, "timestamp": TEXT,
        # The picture is Usher's own: others pass it over, as they must.
        "error_details": ANYTHING, "screenshot": ObjectOf({"image": TEXT, "outline": STRING}),
    })

SEGMENT = ObjectOf(
    required={
        "segment_id": TEXT, "speaker": STRING, "text": STRING, "start": SECONDS, "end": SECONDS,
        "language": STRING_OR_NULL, "completed": BOOLEAN},
    optional={
        "speaker_key": STRING, "absolute_start_time": TEXT, "absolute_end_time": TEXT, "source": STRING,
        "confidence": NUMBER, "words": ListOf(ANYTHING)})

# By type, without the type itself: what `payload` holds in the stream `transcription_segments`.
ENTRIES = {
    "transcription": ObjectOf(
        required={"meeting_id": NUMBER_ID, "segments": ListOf(SEGMENT)}, optional={"native_meeting_id": STRING}),
    "session_start": ObjectOf({
        "session_uid": TEXT, "meeting_id": NUMBER_ID, "platform": choice(PLATFORMS), "start_time": TEXT}),
    "session_end": ObjectOf({"session_uid": TEXT}),
    "transcript_retract": ObjectOf({"meeting_id": NUMBER_ID, "segment_ids": ListOf(TEXT)}),
}

LIVE = ObjectOf({
    "type": choice(("transcript",)), "meeting": ObjectOf({"id": NUMBER_ID}), "speaker": STRING,
    "confirmed": ListOf(SEGMENT), "pending": ListOf(SEGMENT), "ts": TEXT})


def check_config(value, unknown_allowed=False):
    """VEXA_BOT_CONFIG, parsed."""
    CONFIG.check(value, "config", unknown_allowed)


def check_command(value, unknown_allowed=False):
    """A message on `bot_commands:meeting:{meeting_id}`, parsed."""
    _check_by("action", COMMANDS, value, "command", unknown_allowed)


def check_report(value, unknown_allowed=False):
    """The body of a POST to `meetingApiCallbackUrl`, parsed."""
    REPORT.check(value, "report", unknown_allowed)
    if "failure_stage" in value and value["status"] != "failed":
        raise WireError(f"report.failure_stage is there, but the status is {value['status']}")


def check_entry(value, unknown_allowed=False):
    """The payload of an entry of `transcription_segments`, parsed."""
    _check_by("type", ENTRIES, value, "entry", unknown_allowed)
    for segment in value.get("segments", []):
        if segment["end"] < segment["start"]:
            raise WireError(f"segment {segment['segment_id']} ends before it starts")


def check_live(value, unknown_allowed=False):
    """A message on `tc:meeting:{meeting_id}:mutable`, parsed."""
    LIVE.check(value, "live", unknown_allowed)


def check_sequence(statuses):
    """The statuses that a bot reported, in order and each once, are a legal life."""
    before = None
    for status in statuses:
        if status not in LEGAL[before]:
            raise WireError(f"{status} may not follow {before}")
        before = status


def _check_by(key, tables, value, path, unknown_allowed):
    if not isinstance(value, dict) or value.get(key) not in tables:
        raise WireError(f"{path} must be an object whose {key} is one of {', '.join(tables)}, but is {value!r:.200}")
    rest = {name: member for name, member in value.items() if name != key}
    tables[value[key]].check(rest, path, unknown_allowed)
