import { _t } from "@web/core/l10n/translation";

/**
 * The states of a job: what they are called, as their field calls them, and the colour of Bootstrap
 * that stands for each on every screen, so that dark mode and themes are followed.
 */
export const STATES = {
    wait_dependencies: { label: _t("Wait Dependencies"), colour: "secondary" },
    pending: { label: _t("Pending"), colour: "info" },
    enqueued: { label: _t("Enqueued"), colour: "primary" },
    started: { label: _t("Started"), colour: "warning" },
    done: { label: _t("Done"), colour: "success" },
    cancelled: { label: _t("Cancelled"), colour: "secondary" },
    failed: { label: _t("Failed"), colour: "danger" },
};

/** How a state is called, also one that somebody has written by hand. */
export function label(state) {
    return `${STATES[state]?.label || state}`;
}

/** The colour of Bootstrap that stands for a state. */
export function colour(state) {
    return STATES[state]?.colour || "danger";
}
