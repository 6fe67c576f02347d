import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { formatSeconds } from "@queue_job/durations";
import { allowTranslations } from "@web/../tests/web_test_helpers";

describe.current.tags("headless");
beforeEach(allowTranslations);

test("durations are said in their two largest units", () => {
    const said = [0, 0.0456, 0.9996, 1, 3.21, 59.94, 59.96, 61, 3600, 3725, 90000, 86400 * 3];
    expect(said.map(formatSeconds)).toEqual([
        "0 ms",
        "46 ms",
        "1 s",
        "1 s",
        "3.2 s",
        "59.9 s",
        "1 min",
        "1 min 1 s",
        "1 h",
        "1 h 2 min",
        "1 d 1 h",
        "3 d",
    ]);
});

test("what is not known is not said", () => {
    expect([false, null, undefined].map(formatSeconds)).toEqual(["", "", ""]);
});
