/** States of jobs that are not ended. */
export const LIVE_STATES = ["wait_dependencies", "pending", "enqueued", "started"];

const PARTS = /[\\%_]/g;

/** The names of a channel and those above it, nearest first. */
export function ancestors(name) {
    const found = [];
    for (let rest = name; rest; rest = rest.slice(0, Math.max(0, rest.lastIndexOf(".")))) {
        found.push(rest);
    }
    return found;
}

/** Tell whether a channel is below another. */
export function isBelow(name, other) {
    return name.startsWith(`${other}.`);
}

/** The last part of a name; of the root, all of it. */
export function shortName(name) {
    return name.slice(name.lastIndexOf(".") + 1);
}

/** Jobs that wait or run in a channel and below it. */
export function jobsDomain(name) {
    const below = `${name.replace(PARTS, "\\$&")}.%`;
    return [
        // In the words of the partial indexes: several states imply none of them.
        ["is_live", "=", true],
        ["state", "in", LIVE_STATES],
        "|",
        ["channel", "=", name],
        ["channel", "=like", below],
    ];
}

/**
 * The rows that are shown: those that are found with those above them, without what is folded.
 *
 * @param {{ name: string }[]} rows
 * @param {Set<string>} folded
 * @param {string} text part of a name; what is looked for is never folded
 */
export function visible(rows, folded, text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) {
        return rows.filter(({ name }) => !ancestors(name).slice(1).some((above) => folded.has(above)));
    }
    const found = rows.filter(({ name }) => name.toLowerCase().includes(wanted));
    const names = new Set(found.flatMap(({ name }) => ancestors(name)));
    return rows.filter(({ name }) => names.has(name));
}

/**
 * The channels with more ready jobs than are counted, or with such a one below.
 *
 * @param {{ name: string, waiting_here: number }[]} rows
 * @param {number} limit jobs of a channel; 0 when all were counted
 */
export function uncounted(rows, limit) {
    const full = rows.filter((row) => limit && row.waiting_here >= limit);
    return new Set(full.flatMap(({ name }) => ancestors(name)));
}

/** The names that have others below. */
export function parents(rows) {
    return new Set(rows.flatMap(({ name }) => ancestors(name).slice(1)));
}

/** Bars of a height from 0 to 1, the largest number being 1. */
export function bars(numbers) {
    const most = Math.max(1, ...numbers);
    return numbers.map((number) => number / most);
}
