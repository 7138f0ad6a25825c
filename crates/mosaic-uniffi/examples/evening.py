"""What a person does of an evening, from Python: `python3 evening.py FOLDER` while `mosaic --dir FOLDER up` runs.

`mosaic.py` and the library are on the search path (`docs/book/bindings.md` says how they get there).
"""

import asyncio
import json
import sys

from mosaic import Mosaic, MosaicError, Place, Wish

# the middle of Tessera, the built-in city of practice federations
HERE = Place(lat=-45.0, lon=0.0)


async def evening(folder: str) -> None:
    agent = Mosaic.of_folder(folder)
    status = await agent.status()
    assert status.mode == "balanced" and len(status.providers) == 3, status
    print(f"an agent in {status.mode} mode, {len(status.providers)} providers")

    # while somebody types: nothing of it is kept
    preview = await agent.preview("coffee, write to ana@example.org")
    assert preview.to_confirm and preview.warnings[0].identifier == "email", preview
    assert (await agent.broadcasts()) == []
    try:
        await agent.broadcast(Wish(place=HERE, context="coffee, write to ana@example.org"))
        raise AssertionError("words that name somebody went out unasked")
    except MosaicError.Refused as refused:
        print(f"refused: {refused.problem}")

    made = await agent.broadcast(Wish(place=HERE, context="coffee meetup", noise_ratio=0.7))
    assert made.noise_requested == 0.7 and made.noise_effective >= 0.7, made
    listed = await agent.broadcasts()
    assert [other.id for other in listed] == [made.id] and listed[0].expires_at is not None
    print(f"published {made.id}: {made.class_name}, {', '.join(made.topics)}")

    found = await agent.near(HERE, None, 500)
    assert all(0.0 <= card.score <= 1.0 for card in found.cards)
    invitation = await agent.invite("Ana")
    assert invitation.token is not None and len(invitation.token) == 32
    assert [other.id for other in await agent.associations()] == [invitation.id]
    assert await agent.people() == []

    # any operation by its name, and news as they come
    feed = await agent.watch(["privacy.alert"], None)
    door = json.loads(await agent.call("openDoor", "", ""))
    while True:
        news = json.loads(await asyncio.wait_for(feed.next(), timeout=30))
        if news["alert"]["kind"] == "open-door-visible":
            break
    assert json.loads(await agent.call("status", "", ""))["open_door_until"] == door["until"]
    for wrong in ("nothing", "socket", "sessionCode"):
        try:
            await agent.call(wrong, "", "")
            raise AssertionError(f"{wrong} was called")
        except MosaicError.Invalid:
            pass
    print("an evening from Python")


asyncio.run(evening(sys.argv[1]))
