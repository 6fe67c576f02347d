import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { beforeEach, expect, test } from "@odoo/hoot";
import { advanceTime, click, edit, queryAll, queryAllTexts, queryOne, select } from "@odoo/hoot-dom";
import { animationFrame, Deferred } from "@odoo/hoot-mock";
import { PACE } from "@queue_job/board/board";
import {
    getService,
    MockServer,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { Component, xml } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { WebClient } from "@web/webclient/webclient";
import { setTab } from "./tab";

defineMailModels();

const TOPIC = "queue_job.board";

function counts(values = {}) {
    return {
        waiting: 0,
        scheduled: 0,
        parents: 0,
        limit: 100_000,
        running: 0,
        capacity: 4,
        failed: 0,
        rate: 0,
        oldest: 0,
        ...values,
    };
}

function series(lines = { done: [0, 0, 0], failed: [0, 0, 0] }) {
    const nothing = { p50: null, p95: null, p99: null };
    const empty = { p50: [null, null, null], p95: [null, null, null], p99: [null, null, null] };
    return {
        at: [1_700_000_040, 1_700_000_100, 1_700_000_160],
        size: 60,
        group: "state",
        throughput: Object.entries(lines).map(([key, data]) => ({ key, data })),
        depth: [
            { key: "waiting", data: [null, 0, 0] },
            { key: "running", data: [null, 0, 0] },
        ],
        wait: empty,
        run: empty,
        wait_all: nothing,
        run_all: nothing,
        oldest: [null, 0, 0],
    };
}

function snapshot(values = {}) {
    return {
        now: 1_700_000_170,
        seq: 10,
        alerts: [],
        channels: [
            { name: "root", waiting: 0, running: 0, capacity: 4, oldest: 0, paused: false },
        ],
        running: [],
        failures: [],
        series: series(),
        marks: [],
        root: 1,
        all_companies: false,
        ...values,
        counts: counts(values.counts),
    };
}

/** Answer what the server would; ``server.data`` may be changed meanwhile. */
function serve(values = {}) {
    const server = { data: snapshot(values), asked: [] };
    onRpc("queue.job.board", "snapshot", ({ args }) => {
        expect.step("snapshot");
        server.asked.push(args);
        if (server.problem) {
            throw new Error("the server is away");
        }
        return server.waitFor ? server.waitFor.then(() => server.data) : server.data;
    });
    onRpc("queue.job.board", "watch", () => {
        expect.step("watch");
        return true;
    });
    return server;
}

async function mountBoard() {
    await mountWithCleanup(WebClient);
    const action = { type: "ir.actions.client", tag: "queue_job_dashboard", name: "Dashboard" };
    await getService("action").doAction(action);
    await animationFrame();
}

/** Wait until the bus has the channel; no more time passes than that takes. */
async function subscribed() {
    const { env } = MockServer;
    for (let tries = 0; tries < 40; tries++) {
        if (env["bus.bus"].channelsByUser[env.uid]?.includes(TOPIC)) {
            return;
        }
        await advanceTime(50);
    }
    throw new Error(`${TOPIC} is not subscribed to`);
}

async function tell(seq, values) {
    MockServer.env["bus.bus"]._sendone(TOPIC, TOPIC, { seq, now: 0, counts: counts(values) });
    await animationFrame();
    await animationFrame();
}

function tile(key) {
    return `[data-tile=${key}] .o_queue_job_value`;
}

async function chooseMode(mode) {
    await click(`.o_queue_job_refresh input[value="${mode}"] + label`);
    await animationFrame();
}

beforeEach(() => {
    for (const name of ["refresh", "board.span", "board.group"]) {
        browser.localStorage.removeItem(`queue_job.${name}`);
    }
    patchWithCleanup(user, { hasGroup: async () => true });
    // So slow that the time which the test itself takes does not count.
    const slow = Object.entries(PACE).map(([name, seconds]) => [name, 100 * seconds]);
    patchWithCleanup(PACE, Object.fromEntries(slow));
});

test("a queue with some life", async () => {
    serve({
        counts: { waiting: 1234, running: 3, failed: 7, rate: 12.4, oldest: 75, scheduled: 2 },
        alerts: [
            { kind: "stuck", level: "warning", message: "Nothing runs", remedy: "", action: "x" },
        ],
        channels: [
            { name: "root", waiting: 9, running: 3, capacity: 4, oldest: 75, paused: false },
            { name: "root.shop", waiting: 9, running: 2, capacity: 2, oldest: 75, paused: true },
        ],
        running: [
            {
                ...{ id: 5, name: "Export", channel: "root.shop", seconds: 61, worker: "web:12" },
                ...{ progress: 40, progress_text: "4 / 10" },
            },
        ],
        failures: [
            {
                ...{ exception: "Refused", function: "<sale.order>.export", message: "no money" },
                ...{ count: 7, last: 1_700_000_000, action: {} },
            },
        ],
        series: series({ done: [3, 4, 5], failed: [0, 1, 0] }),
        marks: [{ at: 1_700_000_100, label: "Runner started" }],
        all_companies: true,
    });
    await mountBoard();
    expect.verifySteps(["snapshot", "watch"]);
    const shown = queryAllTexts(".o_queue_job_value");
    expect(shown).toEqual(["1,234", "2", "0", "3 / 4", "7", "12", "1 min 15 s"]);
    expect(".o_queue_job_alerts li").toHaveText(/Nothing runs/);
    expect("canvas").toHaveCount(4);
    expect("canvas[role=img]:first").toHaveAttribute("aria-label", "Throughput: 13 jobs ended");
    expect(".o_queue_job_board_running li").toHaveText(/Export\s*1 min \d s/);
    expect(".o_queue_job_board_running [role=progressbar]").toHaveAttribute("aria-valuenow", "40");
    expect("[data-channel='root.shop']").toHaveText(/shop\s*Paused/);
    expect(".o_queue_job_failures li").toHaveText(/Refused\s*7/);
    expect("[aria-live=polite]").toHaveText(
        "1234 waiting, 3 running, 7 failed in 24 hours, 1 alerts"
    );
    const before = queryOne(".o_queue_job_elapsed").textContent;
    await advanceTime(2_000);
    await animationFrame();
    expect(".o_queue_job_elapsed").not.toHaveText(before);
});

test("a queue in which there is nothing", async () => {
    serve();
    await mountBoard();
    expect.verifySteps(["snapshot", "watch"]);
    expect(".o_queue_job_alerts").toHaveCount(0);
    expect(tile("oldest")).toHaveText("–");
    expect(".o_queue_job_nothing").toHaveCount(4);
    expect(".o_queue_job_board_running").toHaveText(/No job runs/);
    expect(".o_queue_job_failures").toHaveText(/No job failed/);
});

test("a queue in which there is more than anybody counts", async () => {
    const names = [...Array(40).keys()].map((number) => `root.a_rather_long_name_${number}`);
    const keys = [...Array(6).keys()].map((number) => `<some.model>.function_${number}`);
    const many = Object.fromEntries([...keys, ""].map((key) => [key, [1e6, 2e6, 3e6]]));
    serve({
        counts: { waiting: 100_000, running: 400, capacity: 400, failed: 5e6, oldest: 9e6 },
        channels: names.map((name) => ({
            ...{ name, waiting: 1e5, running: 10, capacity: 10, oldest: 1e6, paused: false },
        })),
        running: names.map((name, id) => ({
            ...{ id, name: name.repeat(10), channel: name, seconds: 1e6, worker: "w:1" },
            ...{ progress: 99.9, progress_text: "x".repeat(500) },
        })),
        series: { ...series(many), group: "function" },
    });
    await mountBoard();
    expect.verifySteps(["snapshot", "watch"]);
    expect(tile("waiting")).toHaveText("100,000+");
    expect(".o_queue_job_board_running li").toHaveCount(40);
    expect(".o_queue_job_board_channels tbody tr").toHaveCount(40);
    const board = queryOne(".o_queue_job_board_content");
    expect(board.scrollWidth).toBe(board.clientWidth, { message: "nothing sticks out" });
});

test("it is told what is new, and reads the rest now and then", async () => {
    const server = serve({ counts: { waiting: 5 } });
    await mountBoard();
    await subscribed();
    expect.verifySteps(["snapshot", "watch"]);
    await tell(11, { waiting: 6 });
    expect(tile("waiting")).toHaveText("6");
    expect(".o_queue_job_refresh .text-success").toHaveCount(1);
    await tell(12, { waiting: 5 });
    expect(tile("waiting")).toHaveText("5");
    expect.verifySteps([]);
    server.data = snapshot({ seq: 13, counts: { waiting: 9 } });
    await advanceTime(1_000_000);
    expect.verifySteps(["snapshot"]);
    expect(tile("waiting")).toHaveText("9");
    await advanceTime(1_050_000);
    expect.verifySteps(["watch", "snapshot"], { message: "it says that somebody still looks" });
});

test("a message that is late changes nothing", async () => {
    serve({ counts: { waiting: 5 } });
    await mountBoard();
    await subscribed();
    await tell(10, { waiting: 1 });
    await tell(3, { waiting: 2 });
    expect(tile("waiting")).toHaveText("5");
    expect.verifySteps(["snapshot", "watch"]);
});

test("after a gap it reads everything, and asks until messages come again", async () => {
    const server = serve({ counts: { waiting: 5 } });
    await mountBoard();
    await subscribed();
    await tell(11, { waiting: 5 });
    expect.verifySteps(["snapshot", "watch"]);
    server.data = snapshot({ seq: 14, counts: { waiting: 40 } });
    await tell(14, { waiting: 40 });
    expect.verifySteps(["snapshot"]);
    expect(tile("waiting")).toHaveText("40");
    expect(".o_queue_job_refresh .text-success").toHaveCount(0);
    await advanceTime(510_000);
    expect.verifySteps(["snapshot"]);
    await tell(15, { waiting: 40 });
    expect(".o_queue_job_refresh .text-success").toHaveCount(1);
    await advanceTime(510_000);
    expect.verifySteps([]);
});

test("without messages it asks every few seconds", async () => {
    serve();
    await mountBoard();
    await subscribed();
    await tell(11, {});
    expect.verifySteps(["snapshot", "watch"]);
    getService("bus_service").trigger("BUS:DISCONNECT");
    await animationFrame();
    expect(".o_queue_job_refresh .text-success").toHaveCount(0);
    await advanceTime(510_000);
    await advanceTime(510_000);
    expect.verifySteps(["snapshot", "snapshot"]);
    getService("bus_service").trigger("BUS:RECONNECT");
    await animationFrame();
    expect.verifySteps(["snapshot"], { message: "it may have missed something" });
});

test("paused stays paused: messages, focus and reconnection change nothing", async () => {
    const server = serve({ counts: { waiting: 5 } });
    await mountBoard();
    await subscribed();
    expect.verifySteps(["snapshot", "watch"]);
    await chooseMode("paused");
    server.data = snapshot({ seq: 40, counts: { waiting: 77 } });
    await tell(11, { waiting: 77 });
    setTab("hidden");
    await advanceTime(12_000_000);
    setTab("visible");
    window.dispatchEvent(new Event("focus"));
    getService("bus_service").trigger("BUS:DISCONNECT");
    getService("bus_service").trigger("BUS:RECONNECT");
    await advanceTime(12_000_000);
    expect(tile("waiting")).toHaveText("5");
    expect.verifySteps([], { message: "nobody is told that somebody looks, either" });
    await chooseMode("live");
    expect.verifySteps(["watch", "snapshot"]);
    expect(tile("waiting")).toHaveText("77");
});

test("a hidden tab asks nothing and tells nobody that it looks", async () => {
    serve();
    await mountBoard();
    await subscribed();
    expect.verifySteps(["snapshot", "watch"]);
    setTab("hidden");
    await tell(11, { waiting: 7 });
    await advanceTime(30_000_000);
    expect.verifySteps([]);
    expect(tile("waiting")).toHaveText("0");
    setTab("visible");
    await advanceTime(50);
    await animationFrame();
    expect.verifySteps(["snapshot", "watch"]);
});

test("at a pace that was chosen nobody is told that it looks", async () => {
    serve();
    await mountBoard();
    expect.verifySteps(["snapshot", "watch"]);
    await chooseMode("30");
    expect.verifySteps(["snapshot"]);
    await advanceTime(30_500);
    expect.verifySteps(["snapshot"]);
});

test("a server that is away is said, and asked again", async () => {
    const server = serve({ counts: { waiting: 5 } });
    await mountBoard();
    server.problem = true;
    await advanceTime(510_000);
    await animationFrame();
    expect(".o_queue_job_unreachable").toHaveCount(1);
    expect(tile("waiting")).toHaveText("5");
    server.problem = false;
    await advanceTime(510_000);
    await animationFrame();
    expect(".o_queue_job_unreachable").toHaveCount(0);
    expect.verifySteps(["snapshot", "watch", "snapshot", "snapshot"]);
});

test("an early answer to an old question is not shown last", async () => {
    const server = serve();
    await mountBoard();
    server.waitFor = new Deferred();
    await click("[data-range='24h']");
    await click("[data-range='7d']");
    server.waitFor.resolve();
    await animationFrame();
    await animationFrame();
    expect(server.asked.at(-1)).toEqual(["7d", "state"]);
    expect("[data-range='7d']").toHaveAttribute("aria-pressed", "true");
    expect.verifySteps(["snapshot", "watch", "snapshot", "snapshot"]);
});

test("range and group are asked for and remembered", async () => {
    const server = serve();
    await mountBoard();
    await click("[data-range='6h']");
    await animationFrame();
    await click(".o_queue_job_group");
    await select("channel");
    await animationFrame();
    expect(server.asked).toEqual([
        ["1h", "state"],
        ["6h", "state"],
        ["6h", "channel"],
    ]);
    expect(browser.localStorage.getItem("queue_job.board.group")).toBe("channel");
    expect.verifySteps(["snapshot", "watch", "snapshot", "snapshot"]);
});

test("everything leads to the jobs that it is about", async () => {
    const opened = [];
    serve({
        alerts: [{ kind: "stuck", level: "warning", message: "x", remedy: "", action: "alert" }],
        running: [
            {
                ...{ id: 5, name: "Export", channel: "root", seconds: 1, worker: "" },
                ...{ progress: 0, progress_text: "" },
            },
        ],
    });
    await mountBoard();
    patchWithCleanup(getService("action"), { doAction: (action) => opened.push(action) });
    for (const button of queryAll("[data-tile], .o_queue_job_alerts button")) {
        await click(button);
    }
    await click(".o_queue_job_board_running button");
    await click("[data-channel] button");
    expect(opened.map((action) => action.res_model || action)).toEqual([
        "alert",
        ...Array(9).fill("queue.job"),
    ]);
    expect(opened[1].domain).toEqual([
        ["is_live", "=", true],
        ["state", "=", "pending"],
        ["scheduled", "=", false],
    ]);
    expect(opened[8].res_id).toBe(5);
    expect.verifySteps(["snapshot", "watch"]);
});

test("everything is paused with a reason, and resumed", async () => {
    const server = serve();
    onRpc("queue.job.channel", "action_pause", ({ args, kwargs }) => {
        expect.step(`pause ${args[0]} ${kwargs.reason}`);
        server.data = snapshot({ channels: [{ ...server.data.channels[0], paused: true }] });
        return true;
    });
    onRpc("queue.job.channel", "action_resume", ({ args }) => {
        expect.step(`resume ${args[0]}`);
        server.data = snapshot();
        return true;
    });
    await mountBoard();
    await click(".o_queue_job_pause_all");
    await animationFrame();
    await click("#queue_job_pause_reason");
    await edit("maintenance");
    await click(".modal footer .btn-primary");
    await animationFrame();
    await animationFrame();
    expect("[data-channel=root]").toHaveText(/Paused/);
    await click(".o_queue_job_resume_all");
    await animationFrame();
    await click(".modal footer .btn-primary");
    await animationFrame();
    await animationFrame();
    expect(".o_queue_job_pause_all").toHaveCount(1);
    expect.verifySteps([
        ...["snapshot", "watch", "pause 1 maintenance", "snapshot"],
        ...["resume 1", "snapshot"],
    ]);
});

test("who does not operate the queue is told so, and asks nothing", async () => {
    patchWithCleanup(user, { hasGroup: async () => false });
    serve();
    await mountBoard();
    expect(".o_queue_job_board").toHaveText(/for operators/);
    await advanceTime(6_000_000);
    expect.verifySteps([]);
});

class Elsewhere extends Component {
    static template = xml`<div>elsewhere</div>`;
    static props = ["*"];
}

test("what is left asks nothing more", async () => {
    serve();
    await mountBoard();
    await subscribed();
    registry.category("actions").add("elsewhere", Elsewhere, { force: true });
    await getService("action").doAction({ type: "ir.actions.client", tag: "elsewhere" });
    expect(".o_queue_job_board").toHaveCount(0);
    await advanceTime(6_000_000);
    expect.verifySteps(["snapshot", "watch"]);
});
