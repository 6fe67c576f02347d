import { _t } from "@web/core/l10n/translation";

// With their number: Odoo gives translators no text of a single letter.
const SECONDS = (count) => _t("%s s", count);
const UNITS = [
    [86400, (count) => _t("%s d", count)],
    [3600, (count) => _t("%s h", count)],
    [60, (count) => _t("%s min", count)],
    [1, SECONDS],
];

/**
 * A duration as people say it: its two largest units, or what is below a minute with three digits.
 *
 * @param {number|false|null} seconds
 * @returns {string} empty when it is not known
 */
export function formatSeconds(seconds) {
    if (seconds === false || seconds === null || seconds === undefined) {
        return "";
    }
    if (seconds < 0.9995) {
        return _t("%s ms", Math.round(seconds * 1000)).toString();
    }
    if (seconds < 59.95) {
        return SECONDS(Number(seconds.toPrecision(seconds < 10 ? 2 : 3))).toString();
    }
    return twoUnits(Math.round(seconds));
}

function twoUnits(seconds) {
    const place = UNITS.findIndex(([length]) => seconds >= length);
    const parts = [];
    let rest = seconds;
    for (const [length, unit] of UNITS.slice(place, place + 2)) {
        const count = Math.floor(rest / length);
        rest -= count * length;
        if (count) {
            parts.push(unit(count));
        }
    }
    return parts.join(" ");
}
