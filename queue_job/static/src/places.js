/**
 * Where one can go: a menu of the queue that the user has.
 *
 * @param {Object} env
 * @param {string} name of the menu, without that of the addon
 * @returns {Object|undefined} nothing when the user has no such menu
 */
export function findMenu(env, name) {
    return env.services.menu.getAll().find((menu) => menu.xmlid === `queue_job.${name}`);
}

/**
 * Open the list of jobs.
 *
 * @param {Object} env
 * @param {string} [filter] name of one of its filters
 */
export function openJobs(env, filter) {
    return env.services.action.doAction("queue_job.action_queue_job", {
        additionalContext: filter ? { [`search_default_${filter}`]: 1 } : {},
        clearBreadcrumbs: true,
    });
}

/** Open the form of a job. */
export function openJob(env, id) {
    return openRecord(env, "queue.job", id);
}

export function openRecord(env, model, id) {
    return env.services.action.doAction({
        type: "ir.actions.act_window",
        res_model: model,
        res_id: id,
        views: [[false, "form"]],
    });
}
