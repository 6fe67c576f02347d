import { describe, expect, test } from "@odoo/hoot";
import { Feed } from "@queue_job/board/feed";

describe.current.tags("headless");

test("messages in their order are relied on until there is silence", () => {
    const feed = new Feed(12);
    expect(feed.isLive(0)).toBe(false);
    feed.sync(7);
    expect(feed.receive(8, 1000)).toBe("apply");
    expect(feed.receive(9, 2000)).toBe("apply");
    expect(feed.isLive(2000 + 12_000 - 1)).toBe(true);
    expect(feed.isLive(2000 + 12_000)).toBe(false);
});

test("one that is missing is noticed, and those after it are relied on again", () => {
    const feed = new Feed(12);
    feed.sync(7);
    feed.receive(8, 1000);
    expect(feed.receive(10, 2000)).toBe("gap");
    expect(feed.isLive(2000)).toBe(false);
    expect(feed.receive(11, 3000)).toBe("apply");
    expect(feed.isLive(3000)).toBe(true);
});

test("what is older than what was read changes nothing", () => {
    const feed = new Feed(12);
    feed.sync(20);
    expect(feed.receive(20, 1000)).toBe("old");
    expect(feed.receive(3, 1000)).toBe("old");
    expect(feed.isLive(1000)).toBe(false);
    expect(feed.receive(21, 1000)).toBe("apply");
});

test("a read that was overtaken by messages does not go back", () => {
    const feed = new Feed(12);
    feed.sync(5);
    feed.receive(6, 0);
    feed.sync(5);
    expect(feed.receive(6, 0)).toBe("old");
    expect(feed.receive(7, 0)).toBe("apply");
});

test("a database whose numbers began anew is followed", () => {
    const feed = new Feed(12);
    feed.sync(2_000_000_000);
    feed.sync(3);
    expect(feed.receive(4, 0)).toBe("apply");
});
