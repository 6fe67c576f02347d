import { findMenu, openJobs } from "@queue_job/places";
import { isOperator } from "@queue_job/role";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** Menus that are commands as well, for whoever has them. */
const MENUS = [
    { menu: "menu_queue_job_board", name: _t("Job Queue: open the dashboard") },
    { menu: "menu_queue_job", name: _t("Job Queue: open jobs") },
    { menu: "menu_queue_job_failure", name: _t("Job Queue: open failures") },
    { menu: "menu_queue_job_channel", name: _t("Job Queue: open channels") },
];

const DEEDS = [
    { name: _t("Retry failed jobs…"), run: (env) => openJobs(env, "failed") },
    { name: _t("Pause channel…"), action: "queue_job.action_queue_job_channel_pause" },
    { name: _t("Job Queue: Self-Test"), action: "queue_job.action_queue_job_self_test" },
];

/** Commands come when somebody types, or is in the queue's own screens: others have enough. */
function isWanted(env, { searchValue }) {
    return searchValue || env.services.menu.getCurrentApp()?.xmlid === "queue_job.menu_queue_job_root";
}

function menuCommands(env) {
    const found = MENUS.map(({ menu, name }) => ({ name, menu: findMenu(env, menu) }));
    return found
        .filter(({ menu }) => menu)
        .map(({ name, menu }) => ({
            name: name.toString(),
            category: "app",
            action: () => env.services.menu.selectMenu(menu),
        }));
}

function deeds(env) {
    return DEEDS.map(({ name, run, action }) => ({
        name: name.toString(),
        category: "app",
        action: () => (run ? run(env) : env.services.action.doAction(action)),
    }));
}

export const commandProvider = {
    provide(env, options = {}) {
        if (!isWanted(env, options)) {
            return [];
        }
        return [...menuCommands(env), ...(isOperator() ? deeds(env) : [])];
    },
};

registry.category("command_provider").add("queue_job", commandProvider);
