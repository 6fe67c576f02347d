import { after, beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, edit, press, queryAllTexts, queryFirst, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import {
    allowTranslations,
    contains,
    makeServerError,
    mockService,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { QueueJobChannels } from "@queue_job/channels/channels";
import {
    ancestors,
    bars,
    jobsDomain,
    LIVE_STATES,
    parents,
    uncounted,
    visible,
} from "@queue_job/channels/channel_rows";

defineMailModels();
beforeEach(allowTranslations);

function channel(name, values = {}) {
    return {
        id: false,
        name,
        depth: name.split(".").length - 1,
        running: 0,
        capacity: 0,
        throttle: 0,
        sequential: false,
        waiting: 0,
        waiting_here: 0,
        oldest: 0,
        done: Array(15).fill(0),
        rate: 0,
        failed: 0,
        configured: "",
        set_capacity: 0,
        set_throttle: 0,
        held_by: "",
        pause: false,
        ...values,
    };
}

function overview(channels, values = {}) {
    return {
        channels,
        has_leader: true,
        is_applied: true,
        revision: 7,
        applied: 7,
        limit: 0,
        can_edit: true,
        ...values,
    };
}

const SOME = [
    channel("root", { id: 1, capacity: 4, running: 3, waiting: 120, configured: "root:4" }),
    channel("root.csv", {
        id: 2,
        capacity: 2,
        running: 2,
        waiting: 120,
        waiting_here: 20,
        oldest: 125,
        rate: 12.34,
        failed: 3,
        configured: "root.csv:1",
        set_capacity: 2,
    }),
    channel("root.csv.big", { waiting: 100, waiting_here: 100 }),
];

const PAUSED = { by: "Ada", reason: "upgrade", until: false, is_configured: false };

async function mountChannels(...answers) {
    let number = 0;
    onRpc("queue.job.channel", "overview", () => {
        const answer = answers[Math.min(number++, answers.length - 1)];
        return typeof answer === "function" ? answer() : answer;
    });
    return mountWithCleanup(QueueJobChannels);
}

const rowOf = (name) => `tr[data-channel='${name}']`;

describe("rows", () => {
    describe.current.tags("headless");

    test("those above a channel", () => {
        expect(ancestors("root.a.b")).toEqual(["root.a.b", "root.a", "root"]);
        expect(ancestors("")).toEqual([]);
    });

    test("what is folded is left out, unless it is looked for", () => {
        const rows = ["root", "root.a", "root.a.b", "root.c"].map((name) => ({ name }));
        const names = (folded, text = "") => visible(rows, new Set(folded), text).map((r) => r.name);
        expect(names(["root.a"])).toEqual(["root", "root.a", "root.c"]);
        expect(names(["root.a"], " A.B ")).toEqual(["root", "root.a", "root.a.b"]);
        expect(names([], "nothing")).toEqual([]);
        expect([...parents(rows)].sort()).toEqual(["root", "root.a"]);
    });

    test("more than is counted is more above it as well", () => {
        const rows = [
            { name: "root", waiting_here: 0 },
            { name: "root.a", waiting_here: 5000 },
            { name: "root.b", waiting_here: 4999 },
        ];
        expect([...uncounted(rows, 5000)].sort()).toEqual(["root", "root.a"]);
        expect([...uncounted(rows, 0)]).toEqual([]);
    });

    test("jobs of a channel are those below it too, and of no other", () => {
        expect(jobsDomain("root.a_b")).toEqual([
            ["is_live", "=", true],
            ["state", "in", LIVE_STATES],
            "|",
            ["channel", "=", "root.a_b"],
            ["channel", "=like", "root.a\\_b.%"],
        ]);
    });

    test("bars of nothing have no height", () => {
        expect(bars([0, 0])).toEqual([0, 0]);
        expect(bars([5, 10])).toEqual([0.5, 1]);
    });
});

test("figures of each channel", async () => {
    await mountChannels(overview(SOME));
    expect("tbody tr").toHaveCount(3);
    expect(`${rowOf("root")} [role=progressbar]`).toHaveAttribute("aria-valuenow", "3");
    expect(`${rowOf("root")} .o_running`).toHaveText(/3 \/ 4/);
    expect(`${rowOf("root.csv")} .progress-bar`).toHaveClass("bg-warning");
    expect(`${rowOf("root.csv")} .o_waiting`).toHaveText(/120\s*20 here/);
    expect(rowOf("root.csv")).toHaveText(/2 min 5 s/);
    expect(`${rowOf("root.csv")} .o_rate`).toHaveText(/12$/);
    expect(`${rowOf("root.csv")} .o_failed`).toHaveText("3");
    expect(`${rowOf("root.csv")} .o_limits`).toHaveText(/File: root.csv:1\s*Overridden here/);
    expect(`${rowOf("root.csv.big")} .o_limits`).not.toHaveText(/File|Set here/);
    expect(".o_queue_job_in_force").toHaveText("In force, revision 7");
});

test("it is said when nothing is in force, and when nothing ever will be", async () => {
    await mountChannels(
        overview(SOME, { is_applied: false }),
        overview(SOME, { has_leader: false, is_applied: false })
    );
    expect(".o_queue_job_in_force").toHaveText("Revision 7 is not in force yet");
    await advanceTime(3100);
    await animationFrame();
    expect(".o_queue_job_in_force").toHaveText(/No runner is connected/);
});

test("channels are folded and found", async () => {
    await mountChannels(overview(SOME));
    await contains(`${rowOf("root.csv")} .o_fold`).click();
    expect("tbody tr").toHaveCount(2);
    expect(`${rowOf("root.csv")} .o_fold`).toHaveAttribute("aria-expanded", "false");
    await contains(".o_queue_job_channel_search").edit("big", { confirm: false });
    await animationFrame();
    expect("tbody tr").toHaveCount(3);
    await contains(".o_queue_job_channel_search").edit("nothing", { confirm: false });
    await animationFrame();
    expect(".o_queue_job_no_channel").toHaveCount(1);
});

test("who has paused a channel, why, and what it holds", async () => {
    await mountChannels(
        overview([
            channel("root", { id: 1 }),
            channel("root.csv", { id: 2, pause: PAUSED, held_by: "root.csv" }),
            channel("root.csv.big", { held_by: "root.csv" }),
            channel("root.file", {
                held_by: "root.file",
                pause: { by: "", reason: "", until: false, is_configured: true },
            }),
        ])
    );
    expect(`${rowOf("root.csv")} .o_pause`).toHaveText("Paused by Ada: upgrade");
    expect(`${rowOf("root.csv")} .o_resume_button`).toHaveCount(1);
    expect(`${rowOf("root.csv.big")} .o_pause`).toHaveText("Held: root.csv is paused");
    expect(`${rowOf("root.file")} .o_pause`).toHaveText(/by the configuration/);
    expect(`${rowOf("root.file")} .o_resume_button`).toHaveCount(0);
});

test("a channel without a record is paused, with a reason and an end", async () => {
    onRpc("queue.job.channel", "for_names", ({ args }) => {
        expect.step(`for ${args[0]}`);
        return [9];
    });
    onRpc("queue.job.channel", "action_pause", ({ args }) => {
        const [ids, reason, until] = args;
        expect.step(`pause ${ids} ${reason} ${/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(until)}`);
        return true;
    });
    await mountChannels(overview(SOME));
    await contains(`${rowOf("root.csv.big")} .o_pause_button`).click();
    expect(".modal").toHaveText(/Nothing will start in root.csv.big\./);
    await contains("#queue_job_pause_reason").edit("upgrade", { confirm: false });
    await contains(".modal .btn-secondary:contains(4 h)").click();
    await contains(".modal footer .btn-primary").click();
    expect.verifySteps(["for root.csv.big", "pause 9 upgrade true"]);
    expect(".modal").toHaveCount(0);
});

test("resuming asks about channels that are paused below", async () => {
    onRpc("queue.job.channel", "for_names", ({ args }) => args[0].map((_, place) => place));
    onRpc("queue.job.channel", "action_resume", ({ args }) => {
        expect.step(`resume ${args[0].length}`);
        return true;
    });
    const paused = (name) => channel(name, { pause: PAUSED, held_by: name });
    await mountChannels(overview([paused("root"), paused("root.a"), paused("root.b")]));
    await contains(`${rowOf("root.b")} .o_resume_button`).click();
    expect.verifySteps(["resume 1"]);
    await contains(`${rowOf("root")} .o_resume_button`).click();
    expect(".modal").toHaveText(/root.a, root.b/);
    await contains(".modal .btn-primary").click();
    expect.verifySteps(["resume 3"]);
    await contains(`${rowOf("root")} .o_resume_button`).click();
    await contains(".modal .btn-secondary").click();
    expect.verifySteps(["resume 1"]);
});

test("limits are changed in place, emptied they are given back, Escape leaves them", async () => {
    onRpc("queue.job.channel", "for_names", () => [2]);
    onRpc("queue.job.channel", "write", ({ args }) => {
        expect.step(JSON.stringify(args));
        return true;
    });
    await mountChannels(overview(SOME));
    const capacity = `${rowOf("root.csv")} .o_capacity`;
    expect(capacity).toHaveValue(2);
    await click(capacity);
    await edit("5", { confirm: "enter" });
    await animationFrame();
    expect.verifySteps([JSON.stringify([[2], { capacity: 5 }])]);
    await click(capacity);
    await edit("", { confirm: "enter" });
    await animationFrame();
    expect.verifySteps([JSON.stringify([[2], { capacity: 0 }])]);
    await click(`${rowOf("root.csv")} .o_throttle`);
    await edit("0.5");
    await press("Escape");
    await animationFrame();
    expect.verifySteps([]);
    expect(queryOne(`${rowOf("root.csv")} .o_throttle`).value).toBe("");
});

test("nothing is taken from under the hands of who types", async () => {
    await mountChannels(overview(SOME), overview([channel("root"), channel("root.csv")]));
    await click(`${rowOf("root.csv")} .o_capacity`);
    await edit("5");
    await advanceTime(60_000);
    expect("tbody tr").toHaveCount(3);
    expect(`${rowOf("root.csv")} .o_capacity`).toHaveValue(5);
});

test("whoever may not change limits reads them", async () => {
    await mountChannels(overview(SOME, { can_edit: false }));
    expect(".o_capacity, .o_throttle, .o_queue_job_channel_new").toHaveCount(0);
    expect(`${rowOf("root.csv")} .o_pause_button`).toHaveCount(1);
});

test("jobs of a channel are opened, and its record", async () => {
    mockService("action", {
        doAction: (action) => expect.step(action.res_id || action.domain[3][2]),
    });
    await mountChannels(overview(SOME));
    await contains(`${rowOf("root.csv.big")} .o_jobs`).click();
    await contains(`${rowOf("root.csv")} .o_name .btn-link:not(.o_fold)`).click();
    expect.verifySteps(["root.csv.big", 2]);
});

test("it is refreshed as often as is wanted, and not at all in a hidden tab", async () => {
    let number = 0;
    await mountChannels(() => overview(SOME, { revision: ++number, is_applied: true }));
    expect(".o_queue_job_in_force").toHaveText("In force, revision 1");
    await advanceTime(3100);
    await animationFrame();
    expect(".o_queue_job_in_force").toHaveText("In force, revision 2");
    let visibility = "hidden";
    const get = () => visibility;
    Object.defineProperty(document, "visibilityState", { configurable: true, get });
    after(() => delete document.visibilityState);
    document.dispatchEvent(new Event("visibilitychange"));
    await advanceTime(60_000);
    expect(number).toBe(2);
    visibility = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    await advanceTime(100);
    expect(number).toBe(3);
    await contains("label[for=queue_job_refresh_paused]").click();
    await advanceTime(60_000);
    expect(number).toBe(3);
});

test("without an answer it says so, and keeps what it shows", async () => {
    const away = () => {
        throw makeServerError({ message: "away" });
    };
    await mountChannels(overview(SOME), away, overview(SOME));
    await advanceTime(3100);
    await animationFrame();
    expect(".alert-warning").toHaveText(/out of date.*away/s);
    expect("tbody tr").toHaveCount(3);
    await advanceTime(3100);
    await animationFrame();
    expect(".alert-warning").toHaveCount(0);
});

test("channels that could not be loaded are tried again", async () => {
    const away = () => {
        throw makeServerError({ message: "away" });
    };
    await mountChannels(away, overview(SOME));
    expect(".alert-warning").toHaveText(/could not be loaded/);
    await contains(".alert-warning button").click();
    expect("tbody tr").toHaveCount(3);
});

test("nothing is running, nothing waits", async () => {
    await mountChannels(overview([channel("root", { capacity: 1 })]));
    expect(queryAllTexts("tbody .o_running")[0]).toMatch(/0 \/ 1/);
    expect(queryOne(".progress-bar").style.width).toBe("0%");
});

test("five hundred channels", async () => {
    const many = [...Array(499).keys()].map((number) =>
        channel(`root.c${number}`, { waiting: 5000, waiting_here: 5000 })
    );
    const root = channel("root", { waiting: 2_495_000 });
    await mountChannels(overview([root, ...many], { limit: 5000 }));
    expect("tbody tr").toHaveCount(500);
    expect(queryFirst(`${rowOf("root")} .o_waiting`)).toHaveText(/2,495,000\+/);
});
