import { Component, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const SAID_MS = 1500;

/**
 * Copy a text, also where the browser has no clipboard for pages: those without HTTPS.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text) {
    try {
        await browser.navigator.clipboard.writeText(text);
        return true;
    } catch {
        return copyBySelection(text);
    }
}

function copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "position-fixed opacity-0";
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    try {
        return document.execCommand("copy");
    } finally {
        area.remove();
        focused?.focus?.({ preventScroll: true });
    }
}

/** A button that copies a text and says so. */
export class QueueJobCopy extends Component {
    static template = "queue_job.Copy";
    static props = {
        text: Function,
        label: String,
        icon: { type: String, optional: true },
        short: { type: Boolean, optional: true },
    };

    setup() {
        this.state = useState({ said: "" });
    }

    async copy() {
        const copied = await copyText(this.props.text());
        this.state.said = copied ? _t("Copied") : _t("Could not be copied");
        browser.setTimeout(() => (this.state.said = ""), SAID_MS);
    }
}

/** The UUID of a job, to be copied, as the address of its form may be. */
export class QueueJobUuidField extends Component {
    static template = "queue_job.UuidField";
    static components = { QueueJobCopy };
    static props = { ...standardFieldProps };

    get uuid() {
        return this.props.record.data[this.props.name] || "";
    }

    copyUuid() {
        return this.uuid;
    }

    copyLink() {
        return `${browser.location.origin}/odoo/queue-jobs/${this.props.record.resId}`;
    }
}

registry.category("fields").add("queue_job_uuid", {
    component: QueueJobUuidField,
    displayName: _t("UUID of a job"),
    supportedTypes: ["char"],
});
