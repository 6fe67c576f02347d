import { beforeEach, expect, test } from "@odoo/hoot";
import { click } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { QueueJobBanner } from "@queue_job/banner/banner";
import { session } from "@web/session";
import {
    allowTranslations,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";

defineMailModels();
beforeEach(allowTranslations);

async function mountBanner(role, findings) {
    patchWithCleanup(session, { queue_job_role: role });
    onRpc("queue.job.health", "banner", () => {
        expect.step("banner");
        return findings();
    });
    await mountWithCleanup(QueueJobBanner);
}

test("operators are told what stops every job", async () => {
    const finding = { message: "No job will run", remedy: "Release it", releasable: true };
    let held = true;
    onRpc("queue.job.health", "release", () => {
        held = false;
        return true;
    });
    await mountBanner("operator", () => (held ? [finding] : []));
    expect(".o_queue_job_banner[role=alert] strong").toHaveText("No job will run");
    expect(".o_queue_job_banner").toHaveText(/Release it/);
    await click(".o_queue_job_banner button");
    await animationFrame();
    await animationFrame();
    expect(".o_queue_job_banner").toHaveCount(0);
    expect.verifySteps(["banner", "banner"]);
});

test("nothing is shown when all is well", async () => {
    await mountBanner("manager", () => []);
    expect(".o_queue_job_banner").toHaveCount(0);
    expect.verifySteps(["banner"]);
});

test("viewers, who may not ask, do not ask", async () => {
    await mountBanner("viewer", () => []);
    expect(".o_queue_job_banner").toHaveCount(0);
    expect.verifySteps([]);
});
