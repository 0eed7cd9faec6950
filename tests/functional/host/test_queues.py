"""The queue trigger and queue output behave as in Azure, over a real Azurite."""

import asyncio
import base64
import json
import time

import pytest

from localcloud.host import HostOptions
from localcloud.host.idle import NotIdleError
from tests.functional.host.conftest import Sample, StartSample

pytestmark = pytest.mark.azurite


async def test_a_message_is_delivered_and_its_answer_sent_on(sample: Sample) -> None:
    await sample.send("hello")
    await sample.host.wait_idle(10)
    ((_, dequeue_count, body),) = sample.seen("relay")
    assert (dequeue_count, body) == (1, "hello")
    assert sample.seen("sink") == ["hello"]
    assert sample.host.invocations == {"relay": 1, "sink": 1}
    assert sample.host.failures == {}


async def test_our_own_outputs_are_picked_up_without_waiting_for_a_poll(
    start_sample: StartSample,
) -> None:
    slow = HostOptions(run_timers=False, max_polling_interval=30)
    async with start_sample(options=slow) as sample:
        await asyncio.sleep(3.2)  # By now the pauses between polls are long.
        async with sample.http.post("/admin/functions/relay", json={"input": "now"}) as response:
            assert response.status == 202
        started = time.monotonic()
        await sample.host.wait_idle(10)
        assert time.monotonic() - started < 1.0
        assert sample.seen("sink") == ["now"]


async def test_an_object_is_written_indented_and_an_array_becomes_messages(
    sample: Sample,
) -> None:
    await sample.send(json.dumps({"answer": '{"a":1,"ü":[]}'}))
    await sample.host.wait_idle(10)
    assert sample.seen("sink") == ['{\n  "a": 1,\n  "ü": []\n}']
    await sample.send(json.dumps({"answer": '["x", {"y": true}, 3, null, false]'}))
    await sample.host.wait_idle(10)
    later = sample.seen("sink")[1:]
    assert sorted(later) == sorted(["x", '{\n  "y": true\n}', "3", "", "False"])


async def test_text_that_only_looks_like_json_fails_the_invocation(
    start_sample: StartSample,
) -> None:
    async with start_sample(queues={"maxDequeueCount": 1}) as sample:
        await sample.send(json.dumps({"answer": "{not json}"}))
        await sample.host.wait_idle(10)
        assert sample.seen("sink") == []
        (failure,) = sample.host.failures["relay"]
        assert failure.startswith("JSONDecodeError: output $return was not written")


async def test_a_payload_key_replaces_metadata_whatever_its_case(sample: Sample) -> None:
    await sample.send('{"ID": "from-payload", "dequeuecount": 7, "answer": "ok"}')
    await sample.host.wait_idle(10)
    ((message_id, dequeue_count, _),) = sample.seen("relay")
    assert (message_id, dequeue_count) == ("from-payload", 7)


async def test_a_failing_message_is_tried_again_until_it_succeeds(sample: Sample) -> None:
    await sample.send('{"fail_until": 2, "answer": "third time"}')
    await sample.host.wait_idle(10)
    assert [count for _, count, _ in sample.seen("relay")] == [1, 2, 3]
    assert sample.seen("sink") == ["third time"]
    assert len(sample.host.failures["relay"]) == 2


async def test_the_visibility_timeout_delays_the_next_try(start_sample: StartSample) -> None:
    async with start_sample(queues={"visibilityTimeout": "00:00:02"}) as sample:
        started = time.monotonic()
        await sample.send('{"fail_until": 1}')
        await sample.host.wait_idle(10)
        assert time.monotonic() - started >= 2.0
        assert [count for _, count, _ in sample.seen("relay")] == [1, 2]


async def test_after_the_last_try_a_message_goes_to_the_poison_queue(
    start_sample: StartSample,
) -> None:
    async with start_sample(queues={"maxDequeueCount": 3}) as sample:
        await sample.send('{"fail_until": 99}')
        await sample.host.wait_idle(10)
        assert [count for _, count, _ in sample.seen("relay")] == [1, 2, 3]
        assert sample.seen("bury") == ['{"fail_until": 99}']
        assert await sample.messages("in") == []


async def test_a_poison_queue_is_made_when_it_is_first_needed(start_sample: StartSample) -> None:
    async with start_sample(queues={"messageEncoding": "base64"}) as sample:
        await sample.send("not base64!", queue="sink")
        await sample.host.wait_idle(10)
        assert await sample.messages("sink-poison") == ["not base64!"]
        assert sample.host.invocations["sink"] == 0


async def test_a_poison_queue_has_no_poison_queue_of_its_own(start_sample: StartSample) -> None:
    short = HostOptions(run_timers=False, lease=1)
    async with start_sample(queues={"maxDequeueCount": 1}, options=short) as sample:
        await sample.send("unburiable", queue="in-poison")
        with pytest.raises(NotIdleError):
            await sample.host.wait_idle(3.5)
        # It comes back whenever its lease has ended, and is never given up.
        assert len(sample.seen("bury")) >= 2


async def test_base64_messages_are_decoded_and_written(start_sample: StartSample) -> None:
    async with start_sample(queues={"messageEncoding": "base64"}) as sample:
        sample.host.pause()
        await asyncio.sleep(0.3)
        await sample.send(base64.b64encode("grüße".encode()).decode())
        async with sample.http.post("/admin/functions/relay", json={"input": "x"}) as response:
            assert response.status == 202
        await asyncio.sleep(0.3)
        assert await sample.messages("sink") == [base64.b64encode(b"x").decode()]
        sample.host.resume()
        await sample.host.wait_idle(10)
        assert sorted(sample.seen("sink")) == ["grüße", "x"]


async def test_a_long_function_keeps_its_message(start_sample: StartSample) -> None:
    short = HostOptions(run_timers=False, lease=2)
    async with start_sample(options=short) as sample:
        await sample.send('{"sleep": 4, "answer": "done once"}')
        await sample.host.wait_idle(15)
        assert len(sample.seen("relay")) == 1
        assert sample.seen("sink") == ["done once"]


async def test_no_more_run_at_once_than_batch_and_threshold_allow(
    start_sample: StartSample,
) -> None:
    async with start_sample(queues={"batchSize": 2, "newBatchThreshold": 1}) as sample:
        sample.host.pause()
        for sleep in (0.3, 0.9) * 4:
            await sample.send(json.dumps({"sleep": sleep}))
        sample.host.resume()
        most = 0
        for _ in range(100):
            most = max(most, sample.host.in_flight["relay"])
            await asyncio.sleep(0.02)
        await sample.host.wait_idle(15)
        assert most == 3
        assert len(sample.seen("relay")) == 8


async def test_every_message_can_be_delivered_twice(start_sample: StartSample) -> None:
    twice = HostOptions(run_timers=False, deliver_twice=True)
    async with start_sample(options=twice) as sample:
        await sample.send("again")
        await sample.host.wait_idle(10)
        assert [count for _, count, _ in sample.seen("relay")] == [1, 2]
        assert sample.seen("sink") == ["again"] * 4


async def test_a_message_that_fails_only_the_second_time_is_tried_again(
    start_sample: StartSample,
) -> None:
    twice = HostOptions(run_timers=False, deliver_twice=True)
    async with start_sample(options=twice) as sample:
        await sample.send('{"fail_until": 1, "answer": "ok"}')
        await sample.host.wait_idle(10)
        assert [count for _, count, _ in sample.seen("relay")] == [1, 2, 3]


async def _order_of_a_batch(start_sample: StartSample, options: HostOptions) -> list[str]:
    async with start_sample(queues={"batchSize": 16}, options=options) as sample:
        sample.host.pause()
        await asyncio.sleep(0.4)  # a request under way ends, and takes nothing
        for number in range(12):
            await sample.send(str(number))
        sample.host.resume()
        await sample.host.wait_idle(20)
        assert sample.host.failures == {}
        return [body for _, _, body in sample.seen("relay")]


async def test_shuffled_messages_come_in_another_order_and_all_of_them(
    start_sample: StartSample,
) -> None:
    order = await _order_of_a_batch(start_sample, HostOptions(run_timers=False, shuffle=7))

    plain = [str(number) for number in range(12)]
    assert order != plain
    assert sorted(order, key=int) == plain


async def test_a_second_delivery_may_come_after_other_messages(
    start_sample: StartSample,
) -> None:
    both = HostOptions(run_timers=False, deliver_twice=True, shuffle=7)

    order = await _order_of_a_batch(start_sample, both)

    assert sorted(order, key=int) == [str(number) for number in range(12) for _ in "ab"]
    first = list(dict.fromkeys(order))
    second = list(dict.fromkeys(reversed(order)))[::-1]
    assert first != second


async def test_a_shuffled_message_is_tried_and_given_up_by_the_same_rules(
    start_sample: StartSample,
) -> None:
    shuffled = HostOptions(run_timers=False, shuffle=7, lease=1)
    async with start_sample(queues={"maxDequeueCount": 3}, options=shuffled) as sample:
        await sample.send('{"fail_until": 99}')
        await sample.host.wait_idle(15)
        assert [count for _, count, _ in sample.seen("relay")] == [1, 2, 3]
        assert sample.seen("bury") == ['{"fail_until": 99}']


async def test_waiting_for_idle_names_what_is_left(sample: Sample) -> None:
    await sample.send('{"sleep": 1.5}')
    await asyncio.sleep(0.5)
    with pytest.raises(NotIdleError, match=r"^Not idle after 0\.3 s: relay\.$"):
        await sample.host.wait_idle(0.3)
    await sample.host.wait_idle(10)


async def test_delayed_messages_may_be_left_out_of_idleness(sample: Sample) -> None:
    async with sample.queue("in") as client:
        await client.send_message("later", visibility_timeout=60)
    await sample.host.wait_idle(5, delayed=False)
    with pytest.raises(NotIdleError, match=r"-in holds 1|is being read"):
        await sample.host.wait_idle(0.3)


async def test_a_host_that_stops_lets_running_functions_end(start_sample: StartSample) -> None:
    async with start_sample() as sample:
        await sample.send('{"sleep": 1, "answer": "finished"}')
        await sample.wait_for("relay")
        began = time.monotonic()
    assert 0.5 < time.monotonic() - began < 5
    assert await sample.messages("in") == []
    assert await sample.messages("sink") == ["finished"]


async def test_a_function_that_does_not_end_in_time_is_cut_off(start_sample: StartSample) -> None:
    impatient = HostOptions(run_timers=False, stop_grace=0.2)
    async with start_sample(options=impatient) as sample:
        await sample.send('{"sleep": 60}')
        await sample.wait_for("relay")
        began = time.monotonic()
    assert time.monotonic() - began < 5
    async with sample.queue("in") as client:
        left = await client.get_queue_properties()
    assert left.approximate_message_count == 1
