import { after, beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, dblclick, press, queryAll, queryAllTexts, queryFirst } from "@odoo/hoot-dom";
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
import { QueueJobGraph } from "@queue_job/graph/graph";
import { fitted, neighbour, path, revealing, zoomed } from "@queue_job/graph/graph_geometry";
import { boxText, counted, countedAll, isMoving, stateOf, title } from "@queue_job/graph/graph_states";

defineMailModels();
beforeEach(allowTranslations);

const BOX = { width: 176, height: 48 };

/** One parent of so many children, each its own box. */
function fan(number) {
    const boxes = [{ ids: [1], name: "Job 1", function: "f", x: 0, y: 0 }];
    const lines = [];
    for (let place = 1; place <= number; place++) {
        const x = 200 * ((place - 1) % 10);
        const y = 104 + 68 * Math.floor((place - 1) / 10);
        boxes.push({ ids: [place + 1], name: `Job ${place + 1}`, function: "f", x, y });
        lines.push({ source: 0, target: place, points: [[88, 48], [x + 88, y]] });
    }
    return {
        job: 1,
        count: number + 1,
        can_operate: true,
        width: 2000,
        height: 68 * Math.ceil(number / 10) + 104,
        box: BOX,
        boxes,
        lines,
    };
}

function withStates(drawing, states) {
    return { ...drawing, states };
}

/** Three jobs of which the first has failed. */
const FAILED = withStates(fan(2), { failed: [1], wait_dependencies: [2, 3] });

async function mountGraph(drawing, props = {}) {
    onRpc("queue.job", "graph_drawing", () => drawing);
    onRpc("queue.job", "read", ({ args }) => args[0].map((id) => ({ id, channel: "root.test" })));
    return mountWithCleanup(QueueJobGraph, { props: { jobId: 1, isFull: true, ...props } });
}

const nodes = () => queryAll(".o_queue_job_node");

describe("geometry", () => {
    describe.current.tags("headless");

    test("a drawing is made to fit, and never larger than it is", () => {
        const size = { width: 500, height: 300 };
        expect(fitted({ width: 100, height: 50 }, size)).toEqual({ k: 1, x: 200, y: 125 });
        const view = fitted({ width: 4000, height: 50 }, size);
        expect(view.k * 4000 + 2 * view.x).toBeCloseTo(500);
        expect(view.x).toBeGreaterThan(0);
    });

    test("a point stays where it is when the size changes", () => {
        const view = zoomed({ k: 1, x: 10, y: 20 }, 2, { x: 110, y: 120 });
        expect(view).toEqual({ k: 2, x: -90, y: -80 });
        expect(zoomed(view, 1e9, { x: 0, y: 0 }).k).toBe(2.5);
    });

    test("no more is moved than shows a box", () => {
        const drawing = { box: BOX };
        const size = { width: 500, height: 300 };
        const view = { k: 1, x: 0, y: 0 };
        expect(revealing(view, drawing, { x: 100, y: 100 }, size)).toEqual(view);
        expect(revealing(view, drawing, { x: 900, y: 100 }, size).x).toBe(500 - 24 - 900 - 176);
        expect(revealing(view, drawing, { x: 100, y: -50 }, size).y).toBe(74);
    });

    test("a line leaves and arrives straight down", () => {
        expect(path([[10, 0], [10, 50]])).toBe("M10 0V50");
        expect(path([[0, 0], [20, 40]])).toBe("M0 0C0 20 20 20 20 40");
    });

    test("arrow keys lead to parents, children and neighbours", () => {
        const drawing = fan(3);
        expect(neighbour(drawing, 0, "ArrowDown")).toBe(1);
        expect(neighbour(drawing, 3, "ArrowUp")).toBe(0);
        expect(neighbour(drawing, 1, "ArrowRight")).toBe(2);
        expect(neighbour(drawing, 3, "ArrowLeft")).toBe(2);
        expect(neighbour(drawing, 0, "ArrowUp")).toBe(0);
    });
});

describe("states", () => {
    describe.current.tags("headless");

    test("what calls for somebody comes first", () => {
        const states = { done: [1, 2], failed: [3], started: [] };
        expect(countedAll(states)).toEqual([
            { state: "failed", count: 1 },
            { state: "done", count: 2 },
        ]);
        expect(counted([1, 3, 9], stateOf(states))).toEqual([
            { state: "failed", count: 1 },
            { state: "done", count: 1 },
        ]);
    });

    test("what waits for others alone does not move", () => {
        expect(isMoving({ wait_dependencies: [1], failed: [2] })).not.toBe(true);
        expect(isMoving({ pending: [1] })).toBe(true);
    });

    test("boxes are called by their job, or by how many there are", () => {
        expect(title({ ids: [1], name: "Import", function: "f" })).toBe("Import");
        expect(title({ ids: [1], name: "", function: "f" })).toBe("1");
        expect(title({ ids: [1, 2], function: "<a.model>.parse" })).toBe("2 × parse");
        expect(title({ ids: [1, 2], function: "" })).toBe("2 jobs");
        expect(boxText([{ state: "done", count: 1 }])).toBe("Done");
        expect(boxText([{ state: "failed", count: 1 }, { state: "done", count: 7 }])).toBe(
            "1 Failed · 7 Done"
        );
        expect(boxText([{ state: "by hand", count: 1 }])).toBe("by hand");
    });
});

test.tags("desktop");
test("jobs are drawn with their names, states and lines", async () => {
    await mountGraph(FAILED);
    expect(nodes().length).toBe(3);
    expect(queryAllTexts(".o_queue_job_node .o_name")).toEqual(["Job 1", "Job 2", "Job 3"]);
    expect(".o_queue_job_lines path:not(.o_end)").toHaveCount(2);
    expect(nodes()[0]).toHaveClass(["o_queue_job_danger", "o_current"]);
    expect(nodes()[0]).toHaveAttribute("aria-label", "Job 1: 1 Failed");
    expect(queryFirst("[role=status]")).toHaveText(/1 Failed\s*2 Wait Dependencies/);
});

test.tags("desktop");
test("a click tells more of a job, the keyboard leads about and opens", async () => {
    mockService("action", { doAction: (action) => expect.step(action.res_id) });
    await mountGraph(FAILED);
    await click(nodes()[0]);
    await animationFrame();
    expect(".o_queue_job_graph_panel").toHaveText(/root\.test/);
    expect(".o_queue_job_graph_retry_branch").toHaveCount(1);
    await contains(".o_queue_job_graph_panel .btn-close").click();
    expect(".o_queue_job_graph_panel").toHaveCount(0);
    expect(nodes()[0]).toBeFocused();
    await press("ArrowDown");
    await animationFrame();
    expect(nodes()[1]).toBeFocused();
    await press("ArrowRight");
    await animationFrame();
    expect(nodes()[2]).toBeFocused();
    expect(nodes().map((node) => node.getAttribute("tabindex"))).toEqual(["-1", "-1", "0"]);
    await press("Enter");
    expect.verifySteps([3]);
    await dblclick(nodes()[1]);
    expect.verifySteps([2]);
});

test.tags("desktop");
test("buttons and the wheel change the size, a button shows all of it", async () => {
    await mountGraph(withStates(fan(60), { done: fan(60).boxes.map((box) => box.ids[0]) }));
    const stage = queryFirst(".o_queue_job_graph_canvas svg > g");
    const shown = () => stage.getAttribute("transform");
    const atFirst = shown();
    await contains("button[aria-label=Larger]").click();
    const larger = shown();
    expect(larger).not.toBe(atFirst);
    const canvas = queryFirst(".o_queue_job_graph_canvas");
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, bubbles: true, cancelable: true }));
    expect(shown()).not.toBe(larger);
    await contains(".o_queue_job_graph_fit").click();
    const frame = canvas.getBoundingClientRect();
    const drawn = stage.getBoundingClientRect();
    expect(drawn.width).toBeLessThan(frame.width);
    expect(drawn.height).toBeLessThan(frame.height);
});

test("states are asked for while something moves, and places are kept", async () => {
    let states = { done: [1], started: [2], pending: [3] };
    onRpc("queue.job", "graph_states", () => {
        expect.step("look");
        return states;
    });
    await mountGraph(withStates(fan(2), states));
    await contains("button[aria-label=Drawing]").click();
    const places = nodes().map((node) => node.getAttribute("transform"));
    states = { done: [1, 2], failed: [3] };
    await advanceTime(3100);
    expect.verifySteps(["look"]);
    await animationFrame();
    expect(nodes()[2]).toHaveClass("o_queue_job_danger");
    expect(nodes().map((node) => node.getAttribute("transform"))).toEqual(places);
    await advanceTime(120_000);
    expect.verifySteps([]);
});

test("nothing is asked for while the tab is hidden", async () => {
    onRpc("queue.job", "graph_states", () => {
        expect.step("look");
        return FAILED.states;
    });
    await mountGraph(withStates(fan(2), { started: [1, 2, 3] }));
    let visibility = "hidden";
    Object.defineProperty(document, "visibilityState", {
        configurable: true,
        get: () => visibility,
    });
    after(() => delete document.visibilityState);
    document.dispatchEvent(new Event("visibilitychange"));
    await advanceTime(120_000);
    expect.verifySteps([]);
    visibility = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    await advanceTime(100);
    expect.verifySteps(["look"]);
});

test("a job more makes a new drawing", async () => {
    let drawing = withStates(fan(1), { started: [1], wait_dependencies: [2] });
    onRpc("queue.job", "graph_drawing", () => {
        expect.step("draw");
        return drawing;
    });
    onRpc("queue.job", "graph_states", () => drawing.states);
    await mountWithCleanup(QueueJobGraph, { props: { jobId: 1 } });
    await contains("button[aria-label=Drawing]").click();
    expect(nodes().length).toBe(2);
    drawing = withStates(fan(2), { started: [1], wait_dependencies: [2, 3] });
    await advanceTime(3100);
    await animationFrame();
    expect(nodes().length).toBe(3);
    expect.verifySteps(["draw", "draw"]);
});

test("without an answer it says so, keeps what it shows, and goes on asking", async () => {
    let isThere = false;
    onRpc("queue.job", "graph_states", () => {
        if (!isThere) {
            throw makeServerError({ message: "the database is away" });
        }
        return { done: [1, 2, 3] };
    });
    await mountGraph(withStates(fan(2), { started: [1], wait_dependencies: [2, 3] }));
    await advanceTime(3100);
    await animationFrame();
    expect(".alert-warning").toHaveText(/out of date.*the database is away/);
    expect("[role=status]:first").toHaveText(/1 Started/);
    isThere = true;
    await advanceTime(5100);
    await animationFrame();
    expect(".alert-warning").toHaveCount(0);
    expect("[role=status]:first").toHaveText("3 Done");
});

test("a graph that cannot be loaded is tried again", async () => {
    let isThere = false;
    onRpc("queue.job", "graph_drawing", () => {
        if (!isThere) {
            throw makeServerError({ message: "no" });
        }
        return withStates(fan(1), { done: [1, 2] });
    });
    await mountWithCleanup(QueueJobGraph, { props: { jobId: 1 } });
    expect(".alert-warning").toHaveText(/could not be loaded/);
    isThere = true;
    await contains(".alert-warning button").click();
    expect(".alert-warning").toHaveCount(0);
    expect("[role=status]:first").toHaveText("2 Done");
});

test("a thousand jobs are drawn", async () => {
    const ids = [...Array(1000).keys()].map((number) => number + 1);
    await mountGraph(withStates(fan(999), { done: ids }));
    await contains("button[aria-label=Drawing]").click();
    expect(nodes().length).toBe(1000);
    await contains(".o_queue_job_graph_as_list").click();
    expect(".o_queue_job_graph_list tbody tr").toHaveCount(1000);
});

test("too many jobs are not drawn, and a graph of none is empty", async () => {
    await mountGraph({ job: 1, count: 20_000, can_operate: true, is_too_large: true });
    expect("[role=status]").toHaveText(/too many to draw/);
});

test("a graph without jobs that the user may see is empty", async () => {
    const nothing = { ...fan(0), count: 0, boxes: [], lines: [], width: 0, height: 0 };
    await mountGraph(withStates(nothing, {}));
    await contains("button[aria-label=Drawing]").click();
    expect(nodes().length).toBe(0);
    expect(".o_queue_job_graph_retry, .o_queue_job_graph_cancel").toHaveCount(0);
});

test("groups say how many there are, and open those of a state", async () => {
    mockService("action", { doAction: ({ domain }) => expect.step(domain) });
    const boxes = [{ ids: [1, 2, 3], name: "", function: "<m>.parse", x: 0, y: 0 }];
    const drawing = { ...fan(0), count: 3, boxes };
    await mountGraph(withStates(drawing, { done: [1, 2], failed: [3] }));
    await contains("button[aria-label=Drawing]").click();
    expect(".o_queue_job_node .o_name").toHaveText("3 × parse");
    expect(".o_queue_job_node .o_text").toHaveText("1 Failed · 2 Done");
    expect(".o_queue_job_node .o_piece").toHaveCount(2);
    await click(".o_queue_job_node");
    await animationFrame();
    await contains(".o_queue_job_graph_panel .btn-link:first").click();
    expect.verifySteps([[["id", "in", [1, 2, 3]], ["state", "=", "failed"]]]);
});

test("the list says what each waits for", async () => {
    await mountGraph(FAILED);
    await contains(".o_queue_job_graph_as_list").click();
    expect(queryAllTexts("tbody tr:eq(1) td")).toEqual(["Job 2", "Wait Dependencies", "Job 1"]);
    await contains("tbody tr:eq(0) button").click();
    expect(".o_queue_job_graph_panel").toHaveCount(1);
});

test("failed branches are retried, and the rest cancelled, when it is confirmed", async () => {
    onRpc("queue.job", "retry_branch", ({ args }) => {
        expect.step(`retry ${args[0]}`);
        return 1;
    });
    onRpc("queue.job", "cancel_rest", ({ args }) => {
        expect.step(`cancel ${args[0]}`);
        return 2;
    });
    onRpc("queue.job", "graph_states", () => FAILED.states);
    await mountGraph(FAILED);
    await contains(".o_queue_job_graph_retry").click();
    expect(".modal").toHaveText(/1 failed jobs/);
    await contains(".modal .btn-secondary").click();
    expect.verifySteps([]);
    await contains(".o_queue_job_graph_retry").click();
    await contains(".modal .btn-primary").click();
    expect.verifySteps(["retry 1"]);
    await contains(".o_queue_job_graph_cancel").click();
    expect(".modal").toHaveText(/2 jobs that have not started/);
    await contains(".modal .btn-primary").click();
    expect.verifySteps(["cancel 1"]);
});

test("whoever only looks has no buttons to steer", async () => {
    await mountGraph({ ...FAILED, can_operate: false });
    expect(".o_queue_job_graph_retry, .o_queue_job_graph_cancel").toHaveCount(0);
});

test.tags("mobile");
test("on a small screen it begins as a list", async () => {
    await mountGraph(FAILED);
    expect(".o_queue_job_graph_list tbody tr").toHaveCount(3);
});
