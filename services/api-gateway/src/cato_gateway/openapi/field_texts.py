"""What the fields of the API mean (manual, chapter 3), for the OpenAPI document.

A name means the same wherever it occurs, but for those that are given with their schema.
"""

FIELDS: dict[str, str] = {
    "id": "Chosen by the server.",
    "name": "A name for people: 1 to 200 characters, not only blanks.",
    "url": "Where the content can be read.",
    "userId": "The user that it belongs to: the token's own, or for administrators another one.",
    "durationMs": "How long it plays, in milliseconds.",
    "sizeBytes": "Bytes of A-law: 8000 are a second.",
    "sha256": "SHA-256 of the A-law bytes, in hex.",
    "createdAt": "When it was added.",
    "subscriberCount": "How many subscribers there are.",
    "attemptCount": "How many waves there are at most: how often a subscriber is tried.",
    "attemptDelayS": "The least time between the end of a wave and the next one, in seconds.",
    "successCondition": (
        "What counts as reached: `PICKUP_PHONE` answered; `PICKUP_AND_LISTEN_SOME` and heard"
        " `successPlaybackDurationS` seconds; `PICKUP_AND_LISTEN_FULL` and heard everything;"
        " `PICKUP_AND_CONFIRM` and keyed `confirmCode`."
    ),
    "successPlaybackDurationS": (
        "How much has to be heard, in seconds; needed with `PICKUP_AND_LISTEN_SOME`. More than there is: all."
    ),
    "maxCallDurationS": "A call is ended so many seconds after it was answered.",
    "maxAnswerDelayS": "How long it may ring, in seconds; 0: as long as the station's own limit.",
    "timeRestrictions": "When calls may be started; absent: always.",
    "fromHour": "Calls may be started from this hour on.",
    "fromMin": "And this minute.",
    "tillHour": "No calls are started from this hour on; 24 with `tillMin` 0 is midnight.",
    "tillMin": "And this minute. Earlier than `from`: over midnight; equal: the whole day.",
    "timeZone": "The IANA name of the zone of `timeRestrictions`; absent: the configured one.",
    "weekdays": "Days on which calls may be started; absent: all.",
    "confirmCode": "What has to be keyed with `PICKUP_AND_CONFIRM`.",
    "repeatCount": "How often the files are played in a call.",
    "settings": "The id of notification settings.",
    "files": "Ids of audio files, in the order in which they are played.",
    "groups": "Ids of subscriber groups; who is in several is called once.",
    "startAt": "No calls before this time.",
    "expiresAt": "No calls from this time on: the execution ends.",
    "priority": "Which execution gets the channels when there are too few: the higher, the earlier.",
    "fullName": "The person's name.",
    "phones": "Numbers in the order in which they are called, until one call succeeds.",
    "emails": "Addresses; kept, and not used yet.",
    "items": "The part of the collection.",
    "nextCursor": "What `cursor` has to be for the next part; null: this is the last one.",
    "taskExecId": "The execution's id; null if there is none.",
    "result": "`SUCCESS`, or `FAIL_NO_CHANNELS`: there are no channels configured or licensed.",
    "taskId": "The task that is executed.",
    "startedAt": "When it was started.",
    "endedAt": "When it ended; null: it goes on.",
    "report": "The numbers of the execution.",
    "subscribers": "What happened to each subscriber, in the order of the list.",
    "subscriberNotYetNotified": "Without a result in the current wave.",
    "subscriberNotified": "Reached, in whichever wave.",
    "subscriberFailed": "Tried in the current wave and not reached.",
    "callsTotal": "Calls started: succeeded, failed and in progress together.",
    "callsSucceeded": "Calls by which somebody was reached.",
    "callsFailed": "Calls that ended without that.",
    "callsInProgress": "Calls that are up: ringing and talking together.",
    "callsDelayed": "Calls that had to wait for the station's least time between calls.",
    "callsRinging": "Calls that have not been answered yet.",
    "callsTalking": "Calls that have been answered.",
    "waveCurrent": "The wave, from 1.",
    "waveTotal": "How many there are at most.",
    "activePhase": "True until it has ended.",
    "state": "What it is doing.",
    "eta": "When it may be over, as far as can be told.",
    "notified": "Whether the subscriber was reached.",
    "subscriber": "The subscriber, as the group has them.",
    "number": "The number that was called.",
    "calls": "Calls to this number, oldest first.",
    "csId": "The station that the call went through; null: none was chosen.",
    "callStart": "Unix time in milliseconds.",
    "callRingStart": "When it began to ring, in Unix milliseconds; null: never.",
    "callTalkingStart": "When it was answered, in Unix milliseconds; null: never.",
    "callEnd": "When it ended, in Unix milliseconds; null: it has not.",
    "success": "Whether the subscriber was reached by this call.",
    "delayed": "Whether the call had to wait for the station's least time between calls.",
    "events": "What happened, in order.",
    "time": "Unix time in milliseconds.",
    "status": "What the call was doing then.",
    "data": "What belongs to the event: the contact, the station, `SIP_CODE:486`, `DIGIT:1`.",
    "taskName": "The task's name when it was started.",
    "subscriberId": "Who was called; null: not known any more.",
    "subscriberName": "Their name.",
    "wave": "The wave in which the call was made, from 1.",
    "stationId": "The station that the call went through; null: none was chosen.",
    "ringingAt": "When it began to ring; null: never.",
    "answeredAt": "When it was answered; null: never.",
    "outcome": "Where the call stands, or how it ended.",
    "sipCode": "The final response of SIP; null: there was none.",
    "reason": "Why it ended so, in a word; null: it has not ended.",
    "pddMs": "From the start to the first ringing or, without it, the answer, in milliseconds.",
    "talkMs": "From the answer to the end, in milliseconds.",
    "heardMs": "How much of the message was sent, in milliseconds.",
    "digits": "What was keyed, in order.",
    "groupBy": "What the lines are about.",
    "total": "All of them together.",
    "key": (
        "The hour (a time), the day (a date), the id of the task or station, the outcome or the SIP code;"
        " null: calls that have none, or all of them."
    ),
    "label": "The task's name, where the line is about a task.",
    "attempts": "Calls that were started.",
    "inProgress": "Those of them that are up.",
    "answered": "Those that were answered.",
    "succeeded": "Those by which somebody was reached.",
    "failed": "Those that ended without that.",
    "asr": "Answer seizure ratio (ITU-T E.411): answered / ended.",
    "ner": "Network effectiveness ratio (ITU-T E.425): answer, busy, no answer or refusal / ended.",
    "acdMs": "Average call duration: of those answered, from the answer to the end, in milliseconds.",
    "pddP95Ms": "95 of 100 calls rang or were answered within this time, in milliseconds.",
}

OF_SCHEMA: dict[tuple[str, str], str] = {
    ("CallEventView", "name"): "What happened: `CallStarted`, `Trying`, `Ringing`, `OK`, `CallEnded`, ...",
    ("Report", "name"): "The task's name.",
    ("ReplacedSettingsBody", "id"): "That of the address, or absent.",
    ("ReplacedTaskBody", "id"): "That of the address, or absent.",
    ("CallRecord", "startedAt"): "When the call began.",
    ("CallDetail", "startedAt"): "When the call began.",
    ("CallStatistics", "delayed"): "Those that had to wait for the station's least time between calls.",
    ("CallStatistics", "pddMs"): "The mean time to the first ringing or the answer, in milliseconds.",
    (
        "Statistics",
        "groups",
    ): "A line for each: hours and days in order, others with the most calls first.",
    ("Problem", "status"): "The HTTP status.",
}


def add_descriptions(schemas: dict[str, dict[str, object]]) -> None:
    """Describe every field that has no description of its own, and leave out titles, which say nothing."""
    for schema, definition in schemas.items():
        properties = definition.get("properties")
        if not isinstance(properties, dict):
            continue
        for name, described in properties.items():
            described.pop("title", None)
            text = OF_SCHEMA.get((schema, name)) or FIELDS.get(name)
            if text is not None and "description" not in described:
                described["description"] = text
