import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, edit, queryAll, queryAllTexts, queryFirst, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { BEAT_MS } from "@queue_job/form/job_form";
import { copyText } from "@queue_job/form/copy";
import { MOST_GROUPS, MOST_TEXT } from "@queue_job/form/traceback";
import {
    defineModels,
    fields,
    mockService,
    MockServer,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { user } from "@web/core/user";

const FRAMES = [
    { part: "text", text: "Traceback (most recent call last):\n", place: "" },
    { part: "framework", text: '  File "http.py"\n    one()\n', place: "http.py:1" },
    { part: "framework", text: '  File "orm.py"\n    two()\n', place: "orm.py:2" },
    {
        part: "own",
        text: '  File "/srv/shop/order.py", line 3, in ship\n    three()\n',
        place: "shop/order.py:3",
    },
    { part: "framework", text: '  File "json.py"\n    four()\n', place: "json.py:4" },
    { part: "text", text: "ValueError: no such order\n", place: "" },
];
const TEXT = FRAMES.map(({ text }) => text).join("");

class Job extends models.Model {
    _name = "queue.job";
    uuid = fields.Char();
    state = fields.Char();
    priority = fields.Integer();
    exc_info = fields.Text();
    frames = fields.Json();
    timeline = fields.Json();
    payload = fields.Json();
    attempt_ids = fields.One2many({ relation: "queue.job.attempt" });
}

class Attempt extends models.Model {
    _name = "queue.job.attempt";
    attempt = fields.Integer();
    exc_name = fields.Char();
    message = fields.Text();
    frames = fields.Json();
}

defineMailModels();
defineModels([Job, Attempt]);

beforeEach(() => {
    Job._records = [];
    Attempt._records = [];
});

/** Show a job's form with some fields in it. */
function show(values, arch, jsClass = "") {
    Job._records = [{ id: 1, uuid: "0000-1", state: "failed", priority: 10, ...values }];
    const form = `<form class="o_queue_job_form" ${jsClass}>${arch}</form>`;
    return mountView({ type: "form", resModel: "queue.job", resId: 1, arch: form });
}

describe("timeline", () => {
    const ARCH = `<field name="timeline" widget="queue_job_timeline"/>`;

    function attempt(number, begin, outcome = "postponed") {
        return {
            number,
            outcome,
            segments: [
                { stretch: "backoff", begin, end: begin + 9, live: false },
                { stretch: "running", begin: begin + 9, end: begin + 10, live: false },
            ],
        };
    }

    function timeline(rows, seconds, left_out = 0) {
        return { begin: "2026-03-01 12:00:00", seconds, rows, left_out };
    }

    test("a row for each attempt, to scale, in words as well", async () => {
        const rows = [attempt(1, 0), attempt(2, 10, "failed")];
        await show({ timeline: timeline(rows, 20) }, ARCH);
        expect(queryAllTexts("li strong")).toEqual(["Attempt 1", "Attempt 2"]);
        expect(queryAllTexts("li .badge")).toEqual(["Postponed", "Failed"]);
        expect(queryAllTexts("li:eq(0) .o_queue_job_stretch")).toEqual(["backoff 9 s", "ran 1 s"]);
        const [backoff, ran] = queryAll("li:eq(0) .o_queue_job_segment");
        const track = queryOne("li:eq(0) .o_queue_job_track").clientWidth;
        expect(Math.round((100 * backoff.offsetWidth) / track)).toBe(45);
        expect(Math.round((100 * ran.offsetWidth) / track)).toBe(5);
        expect("li:eq(1) .o_queue_job_segment:eq(1)").toHaveClass("o_queue_job_bg_danger");
    });

    test("what was snoozed, and what met conflicts, is called so", async () => {
        const segments = [{ stretch: "snoozed", begin: 20, end: 29, live: false }];
        const rows = [
            attempt(1, 0, "snoozed"),
            attempt(2, 10, "conflict"),
            { number: 0, outcome: "pending", segments },
        ];
        await show({ timeline: timeline(rows, 30) }, ARCH);
        expect(queryAllTexts("li .badge").slice(0, 2)).toEqual(["Snoozed", "Conflict"]);
        expect("li:eq(0) .badge").toHaveClass("text-bg-info");
        expect("li:eq(2) .o_queue_job_stretch").toHaveText("snoozed 9 s");
    });

    test("the smallest stretch is seen, and none leaves the track", async () => {
        const segments = [
            { stretch: "waiting", begin: 0, end: 86400, live: false },
            ...[1, 2, 3].map((number) => ({
                stretch: "running",
                begin: 86400 + number / 1000,
                end: 86400 + (number + 1) / 1000,
                live: false,
            })),
        ];
        const rows = [{ number: 1, outcome: "done", segments }];
        await show({ timeline: timeline(rows, 86400.004) }, ARCH);
        const track = queryOne(".o_queue_job_track").getBoundingClientRect();
        for (const segment of queryAll(".o_queue_job_segment")) {
            const box = segment.getBoundingClientRect();
            expect(box.width).toBeGreaterThan(3);
            expect(box.right).toBeLessThan(track.right + 1);
        }
    });

    test("what goes on grows", async () => {
        const segments = [{ stretch: "running", begin: 0, end: 5, live: true }];
        await show({ timeline: timeline([{ number: 1, outcome: "started", segments }], 5) }, ARCH);
        expect(".o_queue_job_stretch").toHaveText("runs 5 s");
        await advanceTime(3000);
        await animationFrame();
        expect(".o_queue_job_stretch").toHaveText("runs 8 s");
    });

    test("what goes on does not begin anew when something else is drawn", async () => {
        const segments = [{ stretch: "running", begin: 0, end: 5, live: true }];
        const arch = `${ARCH}<field name="priority"/>`;
        await show({ timeline: timeline([{ number: 1, outcome: "started", segments }], 5) }, arch);
        await advanceTime(3000);
        await click("[name=priority] input");
        await edit("3", { confirm: "blur" });
        await animationFrame();
        expect(".o_queue_job_stretch").toHaveText("runs 8 s");
    });

    test("nothing is no error", async () => {
        await show({ timeline: false }, ARCH);
        expect(".o_queue_job_timeline").toHaveCount(0);
    });

    test("of 500 attempts few are drawn until somebody asks", async () => {
        const rows = Array.from({ length: 60 }, (_, index) => attempt(index + 1, 10 * index));
        await show({ timeline: timeline(rows, 600, 440) }, ARCH);
        expect("li .o_queue_job_track").toHaveCount(10);
        expect("li.text-muted").toHaveText(/490 attempts are not drawn/);
        await click("li.text-muted button");
        await animationFrame();
        expect("li .o_queue_job_track").toHaveCount(60);
        expect("li.text-muted").toHaveText(/440 attempts are not drawn/);
    });
});

describe("traceback", () => {
    const ARCH = `<field name="exc_info" widget="queue_job_traceback"/>`;

    test("frames of the framework are folded, those of the house are not", async () => {
        await show({ exc_info: TEXT, frames: FRAMES }, ARCH);
        expect(queryAllTexts(".o_queue_job_fold")).toEqual([
            "2 frames of the framework",
            "1 frame of the framework",
        ]);
        expect(queryAllTexts(".o_queue_job_frame_own .fw-bold")).toEqual(["shop/order.py:3"]);
        const drawn = queryOne(".o_queue_job_frame_own pre").textContent;
        expect(drawn).toBe("  in ship\n    three()");
        expect(".o_queue_job_frame_framework").toHaveCount(0);
        await click(".o_queue_job_fold:first");
        await animationFrame();
        expect(queryAllTexts(".o_queue_job_frame_framework .fw-bold")).toEqual([
            "http.py:1",
            "orm.py:2",
        ]);
        expect(".o_queue_job_fold:first").toHaveAttribute("aria-expanded", "true");
    });

    test("the whole text is shown and copied", async () => {
        patchWithCleanup(browser.navigator.clipboard, {
            async writeText(text) {
                expect.step(text);
            },
        });
        await show({ exc_info: TEXT, frames: FRAMES }, ARCH);
        await click("button:contains(Full)");
        await animationFrame();
        expect(queryOne(".o_queue_job_traceback pre").textContent).toBe(TEXT);
        await click(".o_queue_job_copy");
        await animationFrame();
        expect.verifySteps([TEXT]);
        expect(".o_queue_job_copy").toHaveText("Copied");
    });

    test("one without parts is shown as it is", async () => {
        await show({ exc_info: "it went wrong", frames: false }, ARCH);
        expect(".o_queue_job_frame_text").toHaveText("it went wrong");
        expect("button:contains(Full)").toHaveCount(0);
    });

    test("nothing is no error", async () => {
        await show({ exc_info: false, frames: false }, ARCH);
        expect(".o_queue_job_traceback").toHaveCount(0);
    });

    test("a huge one is cut on the screen, and not when it is copied", async () => {
        patchWithCleanup(browser.navigator.clipboard, {
            async writeText(text) {
                expect.step(text.length);
            },
        });
        const text = "x".repeat(1_000_000);
        const frames = [...Array(5000)].flatMap(() => [FRAMES[3], FRAMES[4]]);
        const all = [...frames, { part: "text", text, place: "" }];
        await show({ exc_info: "x", frames: all }, ARCH);
        expect(queryAll(".o_queue_job_frame_own").length).toBeLessThan(MOST_GROUPS);
        expect(queryOne(".o_queue_job_traceback").textContent.length).toBeLessThan(2 * MOST_TEXT);
        await click(".o_queue_job_copy");
        await animationFrame();
        expect.verifySteps([all.map((piece) => piece.text).join("").length]);
    });
});

describe("copying", () => {
    test("without a clipboard, as without HTTPS, the text is selected", async () => {
        patchWithCleanup(browser.navigator, { clipboard: undefined });
        patchWithCleanup(document, {
            execCommand(command) {
                expect.step(`${command} ${document.activeElement.value}`);
                return true;
            },
        });
        expect(await copyText("some text")).toBe(true);
        expect.verifySteps(["copy some text"]);
        expect("textarea").toHaveCount(0);
    });

    test("the UUID of a job, and the address of its form", async () => {
        patchWithCleanup(browser.navigator.clipboard, {
            async writeText(text) {
                expect.step(text);
            },
        });
        await show({}, `<field name="uuid" widget="queue_job_uuid"/>`);
        expect(".o_queue_job_uuid").toHaveText("0000-1");
        await click("button[title='Copy UUID']");
        await click("button[title='Copy link']");
        await animationFrame();
        expect.verifySteps(["0000-1", `${browser.location.origin}/odoo/queue-jobs/1`]);
    });
});

describe("payload", () => {
    const ARCH = `<field name="payload" widget="queue_job_payload"/>`;

    function node(kind, values = {}) {
        return { kind, text: "", name: "", size: 0, parts: [], model: "", records: [], ...values };
    }

    const CALL = [
        { text: "sale.order(" },
        { text: "7", model: "sale.order", id: 7, title: "S00007" },
        { text: ").send(password=•••)" },
    ];

    test("a call as Python, with its records and its values", async () => {
        mockService("action", {
            doAction(action) {
                expect.step([action.res_model, action.res_id]);
            },
        });
        const lines = node("list", { name: "lines", size: 2, parts: [node("number", { text: "1" })] });
        const payload = {
            call: CALL,
            masked: false,
            arguments: [
                node("masked", { name: "password", text: "•••" }),
                lines,
                node("records", {
                    name: "partner",
                    model: "res.partner",
                    size: 3,
                    records: [
                        { id: 1, title: "Azure" },
                        { id: 2, title: false },
                    ],
                }),
            ],
        };
        await show({ payload }, ARCH);
        expect("code:first").toHaveText("sale.order(7).send(password=•••)");
        expect(".o_queue_job_tree details summary").toHaveText("lines[ ] 2 values");
        expect(queryAllTexts(".o_queue_job_tree a")).toEqual(["Azure"]);
        expect(".o_queue_job_tree").toHaveText(/res\.partner\(2\)/);
        expect(".o_queue_job_tree").toHaveText(/and 1 more/);
        await click("code:first a");
        await click(".o_queue_job_tree a");
        expect.verifySteps([
            ["sale.order", 7],
            ["res.partner", 1],
        ]);
    });

    test("who sees no values is told so", async () => {
        const masked = [node("masked", { name: "order", text: "•••" })];
        await show({ payload: { call: CALL, masked: true, arguments: masked } }, ARCH);
        expect(".o_queue_job_payload").toHaveText(/shown to operators/);
    });

    test("what cannot be read says so", async () => {
        await show({ payload: { error: "It cannot be read." } }, ARCH);
        expect(".o_queue_job_payload").toHaveText("It cannot be read.");
    });

    test("nothing is no error", async () => {
        await show({ payload: false }, ARCH);
        expect(".o_queue_job_payload").toHaveText("");
    });

    test("a deep and wide one is drawn, and folded where it is deep", async () => {
        let deep = node("number", { text: "1" });
        for (let depth = 0; depth < 12; depth++) {
            deep = node("list", { size: 1, parts: [deep] });
        }
        const wide = node("list", {
            size: 100000,
            parts: [...Array(480)].map((_, index) => node("number", { text: `${index}` })),
        });
        await show({ payload: { call: CALL, masked: false, arguments: [deep, wide] } }, ARCH);
        expect("details[open]").toHaveCount(3);
        expect("details").toHaveCount(13);
        expect(queryAll(".o_queue_job_tree code").length).toBe(481);
    });
});

describe("attempts", () => {
    describe.current.tags("desktop");

    const ARCH = `<field name="attempt_ids" widget="queue_job_attempts" mode="list">
        <list limit="20"><field name="attempt"/><field name="exc_name"/><field name="message"/></list>
    </field>`;

    function attempts(count) {
        Attempt._records = Array.from({ length: count }, (_, index) => ({
            id: index + 1,
            attempt: count - index,
            exc_name: "ValueError",
            message: `message ${count - index}`,
            frames: FRAMES,
        }));
        return { attempt_ids: Attempt._records.map(({ id }) => id) };
    }

    function asManager(isManager = true) {
        patchWithCleanup(user, { hasGroup: async () => isManager });
    }

    test("the last one is shown with its traceback, which is read when it is looked at", async () => {
        asManager();
        onRpc("queue.job.attempt", "read", ({ args }) => {
            expect.step(args);
        });
        await show(attempts(3), ARCH);
        await animationFrame();
        expect.verifySteps([[[1], ["frames"]]]);
        expect(".o_queue_job_attempt strong:first").toHaveText("Attempt 3");
        expect(".o_queue_job_attempt .o_queue_job_frame_own").toHaveCount(1);
        await click(".o_queue_job_previous");
        await animationFrame();
        expect(".o_queue_job_attempt strong:first").toHaveText("Attempt 2");
        expect(".o_queue_job_message").toHaveText("message 2");
        expect.verifySteps([[[2], ["frames"]]]);
        await click(".o_data_row:eq(2) .o_data_cell");
        await animationFrame();
        expect(".o_queue_job_attempt strong:first").toHaveText("Attempt 1");
        expect(".o_queue_job_previous").not.toBeEnabled();
        expect(".o_dialog").toHaveCount(0);
        expect.verifySteps([[[3], ["frames"]]]);
    });

    test("who is no manager is not shown any, and none is asked for", async () => {
        asManager(false);
        onRpc("queue.job.attempt", "read", () => {
            expect.step("read");
        });
        await show(attempts(2), ARCH);
        await animationFrame();
        expect(".o_queue_job_message").toHaveText("message 2");
        expect(".o_queue_job_traceback").toHaveCount(0);
        expect.verifySteps([]);
    });

    test("none is no error", async () => {
        asManager();
        await show({ attempt_ids: [] }, ARCH);
        expect(".o_queue_job_attempt").toHaveCount(0);
    });

    test("of 500 a page is shown", async () => {
        asManager();
        await show(attempts(500), ARCH);
        await animationFrame();
        expect(".o_data_row").toHaveCount(20);
        expect(".o_queue_job_attempt strong:first").toHaveText("Attempt 500");
    });

    test("a server that does not answer can be asked again", async () => {
        asManager();
        let answers = false;
        onRpc("queue.job.attempt", "read", () => {
            if (!answers) {
                throw new Error("gone");
            }
        });
        await show(attempts(1), ARCH);
        await animationFrame();
        expect(".o_queue_job_attempt [role=alert]").toHaveText(/could not be read/);
        answers = true;
        await click(".o_queue_job_attempt [role=alert] button");
        await animationFrame();
        await animationFrame();
        expect(".o_queue_job_attempt [role=alert]").toHaveCount(0);
        expect(".o_queue_job_frame_own").toHaveCount(1);
    });
});

describe("going on", () => {
    const ARCH = `<field name="state"/><field name="priority"/>`;
    const JS_CLASS = `js_class="queue_job_form"`;

    let pulse;
    beforeEach(() => {
        pulse = { state: "started", attempt: 1 };
        onRpc("queue.job", "pulse", () => {
            expect.step("pulse");
            return pulse;
        });
        onRpc("queue.job", "web_read", () => {
            expect.step("read");
        });
    });

    async function beat(times = 1) {
        for (let number = 0; number < times; number++) {
            await advanceTime(BEAT_MS);
            await animationFrame();
        }
    }

    test("a form is read again when its job has gone on, and only then", async () => {
        await show({ state: "started" }, ARCH, JS_CLASS);
        expect.verifySteps(["read"]);
        await beat(2);
        expect.verifySteps(["pulse", "pulse"]);
        pulse = { state: "done", attempt: 1 };
        MockServer.env["queue.job"].write([1], { state: "done" });
        await beat();
        expect.verifySteps(["pulse", "read"]);
        expect("[name=state] input").toHaveValue("done");
        await beat(3);
        expect.verifySteps([]);
    });

    test("a job that has ended is not asked for", async () => {
        await show({ state: "failed" }, ARCH, JS_CLASS);
        await beat(3);
        expect.verifySteps(["read"]);
    });

    test("a job that has ended and goes on is asked for again", async () => {
        onRpc("queue.job", "requeue", () => {
            MockServer.env["queue.job"].write([1], { state: "pending" });
            return true;
        });
        const button = `<button name="requeue" type="object" string="Requeue"/>`;
        await show({ state: "failed" }, button + ARCH, JS_CLASS);
        await beat(2);
        expect.verifySteps(["read"]);
        await click("button[name=requeue]");
        await animationFrame();
        expect.verifySteps(["read"]);
        await beat();
        expect.verifySteps(["pulse", "read"], { message: "its state is another" });
    });

    test("what somebody writes is left alone", async () => {
        await show({ state: "started" }, ARCH, JS_CLASS);
        expect.verifySteps(["read"]);
        await click("[name=priority] input");
        await edit("3");
        await beat(2);
        expect.verifySteps([]);
        queryFirst("[name=priority] input").blur();
        await animationFrame();
        await beat(2);
        expect.verifySteps([]);
        expect("[name=priority] input").toHaveValue("3");
    });

    test("a hidden tab asks nothing, and at once when it is seen again", async () => {
        await show({ state: "started" }, ARCH, JS_CLASS);
        expect.verifySteps(["read"]);
        let hidden = true;
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        try {
            await beat(3);
            expect.verifySteps([]);
            hidden = false;
            document.dispatchEvent(new Event("visibilitychange"));
            await animationFrame();
            expect.verifySteps(["pulse"]);
        } finally {
            delete document.hidden;
        }
    });

    test("a server that is gone is asked less often, and the screen stays", async () => {
        let gone = true;
        onRpc("queue.job", "pulse", () => {
            if (gone) {
                expect.step("gone");
                throw new Error("connection lost");
            }
        });
        await show({ state: "started" }, ARCH, JS_CLASS);
        expect.verifySteps(["read"]);
        await beat();
        expect.verifySteps(["gone"]);
        await beat();
        expect.verifySteps([]);
        await beat();
        expect.verifySteps(["gone"]);
        expect(".o_form_view").toHaveCount(1);
        expect(".o_dialog").toHaveCount(0);
        gone = false;
        await beat(4);
        expect.verifySteps(["pulse"]);
    });
});
