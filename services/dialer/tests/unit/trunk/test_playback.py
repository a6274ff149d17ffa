"""How much of the prompt was heard, from the counts of the stream and the file."""

from cato_dialer.dial.adapters.pjsua2.worker.audio.playback import Mark, Playback

FRAME = 160


def playing(frames: int = 100, threshold_ms: int | None = None, before: int = 0) -> Playback:
    playback = Playback(frames * FRAME, threshold_ms)
    playback.stream_connected(before * FRAME, now_ms=0)
    return playback


def test_silence_before_the_prompt_is_not_heard():
    playback = playing(before=50)
    playback.observe(60 * FRAME, 10 * FRAME)
    assert playback.heard_ms == 200


def test_a_frame_of_silence_before_the_prompt_is_subtracted():
    playback = playing()
    playback.observe(11 * FRAME, 10 * FRAME)
    assert playback.heard_ms == 200
    assert playback.observe(100 * FRAME, 99 * FRAME) == []
    assert playback.observe(101 * FRAME, 0) == [Mark.FINISHED]


def test_the_end_of_the_file_is_not_taken_for_its_beginning():
    playback = playing()
    assert playback.observe(100 * FRAME, 0) == [Mark.FINISHED]


def test_silence_after_the_prompt_is_not_heard():
    playback = playing()
    playback.observe(150 * FRAME, 0)
    assert playback.heard_ms == 2_000


def test_each_mark_is_passed_once():
    playback = playing(threshold_ms=1_000)
    assert playback.observe(49 * FRAME, 49 * FRAME) == []
    assert playback.observe(50 * FRAME, 50 * FRAME) == [Mark.HEARD]
    assert playback.observe(60 * FRAME, 60 * FRAME) == []
    assert playback.observe(100 * FRAME, 0) == [Mark.FINISHED]
    assert playback.observe(110 * FRAME, 0) == []


def test_a_late_observation_finds_both_marks():
    assert playing(threshold_ms=1_000).observe(200 * FRAME, 0) == [Mark.HEARD, Mark.FINISHED]


def test_a_hold_only_interrupts():
    playback = playing(before=5)
    playback.observe(25 * FRAME, 20 * FRAME)
    playback.stream_ended(30 * FRAME)
    assert playback.heard_ms == 500
    assert not playback.running
    playback.stream_connected(3 * FRAME, now_ms=9_000)
    playback.observe(78 * FRAME, 0)
    assert playback.heard_ms == 2_000


def test_a_stream_that_ends_without_its_count_keeps_the_last_count():
    playback = playing()
    playback.observe(20 * FRAME, 20 * FRAME)
    playback.stream_ended(None)
    assert playback.heard_ms == 400


def test_the_next_observation_is_at_the_next_mark_or_half_a_second_later_at_most():
    playback = playing(threshold_ms=700)
    assert playback.next_observation_ms(now_ms=1_000) == 1_500
    playback.observe(25 * FRAME, 25 * FRAME)
    assert playback.next_observation_ms(now_ms=1_500) == 1_700


def test_lag_is_the_lead_of_the_clock_over_the_packets():
    playback = playing()
    playback.observe(10 * FRAME, 10 * FRAME)
    assert playback.lag_ms(now_ms=215) == 0
    assert playback.lag_ms(now_ms=300) == 80
