import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, queryAll, queryAllTexts, queryFirst, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { FIRST_SECONDS, LOOK_SECONDS, QueueJobTray } from "@queue_job/tray/tray";
import { registry } from "@web/core/registry";
import { session } from "@web/session";
import {
    allowTranslations,
    makeServerError,
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";

defineMailModels();
beforeEach(allowTranslations);

const LOOK_MILLISECONDS = 1000 * LOOK_SECONDS;

const STOPPED = { level: "danger", message: "No job will run", target: "self_test" };
const FAILED = { level: "warning", message: "3 job(s) failed in the last hour.", target: "failed" };

const QUIET = {
    alerts: [],
    counts: { running: 0, waiting: 0, failed: 0, limit: 10000 },
    mine: [],
    more: false,
};

function job(id, values = {}) {
    const idle = { running: true, seconds: 90, progress: 0, progress_text: "" };
    return { id, name: `Job ${id}`, ...idle, ...values };
}

/** Answer every look, and tell of each in the steps. */
async function mountTray({ alerts = [], details = QUIET } = {}) {
    onRpc("queue.job.tray", "look", () => {
        expect.step("look");
        return alerts;
    });
    onRpc("queue.job.tray", "unfold", () => {
        expect.step("unfold");
        return { ...details, alerts };
    });
    const tray = await mountWithCleanup(QueueJobTray);
    await advanceTime(1000 * FIRST_SECONDS);
    await animationFrame();
    return tray;
}

async function openMenu() {
    await click("button.o_queue_job_tray");
    await animationFrame();
    await animationFrame();
}

function setVisibility(state) {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}

function showTab() {
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange"));
}

test("no dot when all is well", async () => {
    await mountTray();
    expect(".o_queue_job_tray_dot").toHaveCount(0);
    expect("button.o_queue_job_tray").toHaveAttribute("aria-label", "Job queue");
    expect.verifySteps(["look"]);
});

test("a dot for what is to be done, as serious as that is", async () => {
    await mountTray({ alerts: [FAILED] });
    expect(".o_queue_job_tray_dot").toHaveClass("bg-warning");
    expect("button.o_queue_job_tray").toHaveAttribute("aria-label", "Job queue: 1 alert(s)");
    expect("button.o_queue_job_tray [role=status]").toHaveText(FAILED.message);
    expect.verifySteps(["look"]);
});

test("what stops everything is red", async () => {
    await mountTray({ alerts: [FAILED, STOPPED] });
    expect(".o_queue_job_tray_dot").toHaveClass("bg-danger");
    expect.verifySteps(["look"]);
});

test("it looks once a minute, and not while nobody sees it", async () => {
    await mountTray();
    await advanceTime(LOOK_MILLISECONDS - 100);
    expect.verifySteps(["look"]);
    await advanceTime(200);
    expect.verifySteps(["look"]);
    setVisibility("hidden");
    await advanceTime(10 * LOOK_MILLISECONDS);
    expect.verifySteps([]);
    showTab();
    await advanceTime(1);
    expect.verifySteps(["look"]);
    setVisibility("hidden");
    showTab();
    await advanceTime(1000);
    expect.verifySteps([], { message: "the last look is young enough" });
});

test("an empty menu", async () => {
    await mountTray();
    await openMenu();
    expect.verifySteps(["look", "unfold"]);
    expect(queryAllTexts(".o_queue_job_tray_count .fs-3")).toEqual(["0", "0", "0"]);
    expect(".o_queue_job_tray_none").toHaveCount(1);
    expect(".o_queue_job_tray_mine").toHaveCount(0);
    expect(".o_queue_job_tray_alert").toHaveCount(0);
});

test("own running jobs have bars, and lead to their forms", async () => {
    mockService("action", {
        doAction(action) {
            expect.step(`${action.res_model} ${action.res_id}`);
        },
    });
    const mine = [
        job(7, { progress: 40, progress_text: "4 / 10 customers" }),
        job(8, { running: false, seconds: 0 }),
    ];
    await mountTray({ details: { ...QUIET, mine } });
    await openMenu();
    expect(".o_queue_job_tray_mine [role=progressbar]").toHaveCount(1);
    expect(queryOne("[role=progressbar]")).toHaveAttribute("aria-valuenow", "40");
    expect(queryAll(".o_queue_job_tray_mine")[0]).toHaveText("Job 7\n1 min 30 s\n4 / 10 customers");
    expect(queryAll(".o_queue_job_tray_mine")[1]).toHaveText("Job 8\nabout to start");
    await click(queryFirst(".o_queue_job_tray_mine"));
    await animationFrame();
    expect.verifySteps(["look", "unfold", "queue.job 7"]);
    expect(".o_queue_job_tray_menu").toHaveCount(0);
});

test("huge numbers and long names", async () => {
    const mine = [1, 2, 3, 4, 5].map((id) => job(id, { name: "long ".repeat(200) }));
    const counts = { running: 123456, waiting: 10000, failed: 1000, limit: 10000 };
    const alerts = Array(30).fill(FAILED);
    await mountTray({ alerts, details: { ...QUIET, counts, mine, more: true } });
    await openMenu();
    expect(queryAllTexts(".o_queue_job_tray_count .fs-3")).toEqual(["123456", "10000+", "1000+"]);
    expect(".o_queue_job_tray_alert").toHaveCount(30);
    const menu = queryOne(".o_queue_job_tray_menu");
    expect(menu.scrollWidth).toBeLessThan(menu.clientWidth + 1);
    expect(menu.getBoundingClientRect().width).toBeLessThan(window.innerWidth + 1);
    expect.verifySteps(["look", "unfold"]);
});

test("alerts and figures lead to what is meant", async () => {
    mockService("action", {
        doAction(action, options = {}) {
            expect.step([action, ...Object.keys(options.additionalContext || {})].join(" "));
        },
    });
    await mountTray({ alerts: [STOPPED, FAILED] });
    for (const place of [0, 1]) {
        await openMenu();
        await click(queryAll(".o_queue_job_tray_alert")[place]);
        await animationFrame();
    }
    await openMenu();
    await click(queryAll(".o_queue_job_tray_count")[1]);
    expect.verifySteps([
        "look",
        "unfold",
        "queue_job.action_queue_job_self_test",
        "unfold",
        "queue_job.action_queue_job search_default_failed",
        "unfold",
        "queue_job.action_queue_job search_default_pending",
    ]);
});

test("a server that does not answer disturbs nobody", async () => {
    let broken = false;
    await mountTray({ alerts: [FAILED] });
    onRpc("queue.job.tray", "look", () => {
        if (broken) {
            throw makeServerError();
        }
        return [];
    });
    onRpc("queue.job.tray", "unfold", () => {
        throw makeServerError();
    });
    broken = true;
    await advanceTime(LOOK_MILLISECONDS + 1);
    expect(".o_queue_job_tray_dot").toHaveCount(1, { message: "what was known stays" });
    expect(".o_notification, .o_error_dialog").toHaveCount(0);
    await openMenu();
    expect(".o_queue_job_tray_lost").toHaveCount(1);
    expect(".o_queue_job_tray_alert").toHaveCount(1);
    broken = false;
    await advanceTime(LOOK_MILLISECONDS + 1);
    expect(".o_queue_job_tray_lost").toHaveCount(0);
    expect(".o_queue_job_tray_dot").toHaveCount(0);
    expect.verifySteps(["look"]);
});

test("it asks no more when it is gone", async () => {
    const tray = await mountTray();
    tray.__owl__.destroy();
    await advanceTime(3 * LOOK_MILLISECONDS);
    expect.verifySteps(["look"]);
});

describe("for whom", () => {
    describe.current.tags("headless");

    test("operators and managers have it, nobody else", () => {
        const item = registry.category("systray").get("queue_job.tray");
        for (const [role, expected] of [
            ["manager", true],
            ["operator", true],
            ["viewer", false],
            [undefined, false],
        ]) {
            patchWithCleanup(session, { queue_job_role: role });
            expect(item.isDisplayed()).toBe(expected);
        }
    });
});
