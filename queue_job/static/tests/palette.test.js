import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { commandProvider } from "@queue_job/palette/palette";
import { session } from "@web/session";
import { allowTranslations, patchWithCleanup } from "@web/../tests/web_test_helpers";

describe.current.tags("headless");
beforeEach(allowTranslations);

/** What the provider needs of the web client, with these menus of the queue. */
function fakeEnv(menus = [], app = "base.menu_administration") {
    return {
        services: {
            menu: {
                getAll: () => menus.map((name) => ({ id: 1, xmlid: `queue_job.${name}` })),
                getCurrentApp: () => app && { xmlid: app },
                selectMenu: (menu) => expect.step(menu.xmlid),
            },
            action: {
                doAction(action, options = {}) {
                    const context = Object.keys(options.additionalContext || {});
                    expect.step([action, ...context].join(" "));
                },
            },
        },
    };
}

const ALL = ["menu_queue_job_board", "menu_queue_job", "menu_queue_job_failure", "menu_queue_job_channel"];

function commands(env, options) {
    return commandProvider.provide(env, options);
}

test("operators have menus and deeds, and each does what it says", () => {
    patchWithCleanup(session, { queue_job_role: "operator" });
    const found = commands(fakeEnv(ALL), { searchValue: "job" });
    expect(found.map((command) => command.name)).toEqual([
        "Job Queue: open the dashboard",
        "Job Queue: open jobs",
        "Job Queue: open failures",
        "Job Queue: open channels",
        "Retry failed jobs…",
        "Pause channel…",
        "Job Queue: Self-Test",
    ]);
    found.forEach((command) => command.action());
    expect.verifySteps([
        ...ALL.map((name) => `queue_job.${name}`),
        "queue_job.action_queue_job search_default_failed",
        "queue_job.action_queue_job_channel_pause",
        "queue_job.action_queue_job_self_test",
    ]);
});

test("viewers have what they can open", () => {
    patchWithCleanup(session, { queue_job_role: "viewer" });
    const found = commands(fakeEnv(["menu_queue_job"]), { searchValue: "job" });
    expect(found.map((command) => command.name)).toEqual(["Job Queue: open jobs"]);
});

test("others have nothing", () => {
    patchWithCleanup(session, { queue_job_role: undefined });
    expect(commands(fakeEnv(), { searchValue: "job" })).toEqual([]);
});

test("they come when somebody types, or is in the queue", () => {
    patchWithCleanup(session, { queue_job_role: "operator" });
    expect(commands(fakeEnv(ALL), { searchValue: "" })).toEqual([]);
    expect(commands(fakeEnv(ALL, null))).toEqual([]);
    expect(commands(fakeEnv(ALL, "queue_job.menu_queue_job_root"))).toHaveLength(7);
});
