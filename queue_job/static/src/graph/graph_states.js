import { _t } from "@web/core/l10n/translation";
import { label } from "@queue_job/states";

/** States, what calls for somebody first: a box of several jobs has the colour of the first. */
const RANKS = [
    "failed",
    "started",
    "enqueued",
    "pending",
    "wait_dependencies",
    "cancelled",
    "done",
];

const MOVING = ["started", "enqueued", "pending"];

/** The state of each job by its number, of the jobs by their state. */
export function stateOf(states) {
    const found = new Map();
    for (const [state, ids] of Object.entries(states)) {
        ids.forEach((id) => found.set(id, state));
    }
    return found;
}

/**
 * How many jobs are in each state, what calls for somebody first.
 *
 * @param {number[]} ids
 * @param {Map<number, string>} known
 * @returns {{ state: string, count: number }[]}
 */
export function counted(ids, known) {
    const counts = {};
    for (const id of ids) {
        const state = known.get(id);
        if (state) {
            counts[state] = (counts[state] || 0) + 1;
        }
    }
    return ranked(counts);
}

/** The same for all the jobs of a graph. */
export function countedAll(states) {
    return ranked(Object.fromEntries(Object.entries(states).map(([s, ids]) => [s, ids.length])));
}

function ranked(counts) {
    const rank = (state) => RANKS.indexOf(state);
    return Object.entries(counts)
        .filter(([, count]) => count)
        .map(([state, count]) => ({ state, count }))
        .sort((one, other) => rank(one.state) - rank(other.state));
}

/** Tell whether something goes on in a graph, or may without anybody doing anything. */
export function isMoving(states) {
    return MOVING.some((state) => states[state]?.length);
}

/** What a box is called: its only job, or how many there are of a function. */
export function title(box) {
    if (box.ids.length === 1) {
        return box.name || `${box.ids[0]}`;
    }
    const name = box.function.split(".").pop();
    return name ? `${box.ids.length} × ${name}` : _t("%s jobs", box.ids.length);
}

/** The line below the name: one state, or the first two with how many there are of each. */
export function boxText(summary) {
    const several = summary.length > 1 || summary[0]?.count > 1;
    const parts = summary.slice(0, 2).map(({ state, count }) => {
        return several ? `${count} ${label(state)}` : label(state);
    });
    return parts.join(" · ");
}

/** All the states of several jobs in words. */
export function describe(summary) {
    return summary.map(({ state, count }) => `${count} ${label(state)}`).join(", ");
}
