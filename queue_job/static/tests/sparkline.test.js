import { expect, test } from "@odoo/hoot";
import { queryAll, queryFirst } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";
import { bars } from "@queue_job/sparkline/sparkline";

class Failure extends models.Model {
    _name = "failure";
    trend = fields.Json();
    seconds = fields.Float();
    _records = [
        { id: 1, trend: [0, 1, 10], seconds: 90 },
        { id: 2, trend: false, seconds: 0 },
        { id: 3, trend: Array(10000).fill(7), seconds: 0.25 },
    ];
}

defineMailModels();
defineModels([Failure]);

function show(resId) {
    const arch = `<form><field name="trend" widget="queue_job_sparkline"/>
        <field name="seconds" widget="queue_job_seconds"/></form>`;
    return mountView({ type: "form", resModel: "failure", resId, arch });
}

test("what is little is seen beside what is much", () => {
    const heights = bars([0, 1, 10000]).map((bar) => bar.height);
    expect(heights[0]).toBe(0);
    expect(heights[1]).toBeGreaterThan(1);
    expect(heights[2]).toBeGreaterThan(heights[1]);
    expect(bars([])).toEqual([]);
});

test("a bar for each count that is not zero, and all of it in words", async () => {
    await show(1);
    expect(queryAll("svg rect")).toHaveLength(2);
    expect(queryFirst("svg title").textContent).toBe("11 in all, 10 at the most, 10 last");
    expect("svg").toHaveClass("text-danger");
    expect("[name=seconds]").toHaveText("1 min 30 s");
});

test("nothing is no error", async () => {
    await show(2);
    expect(queryAll("svg rect")).toHaveLength(0);
    expect("[name=seconds]").toHaveText("");
});

test("a huge row is drawn", async () => {
    await show(3);
    expect(queryAll("svg rect")).toHaveLength(10000);
    expect("[name=seconds]").toHaveText("250 ms");
});
