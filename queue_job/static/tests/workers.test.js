import { expect, test } from "@odoo/hoot";
import { advanceTime } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";

class Node extends models.Model {
    _name = "node";
    host = fields.Char();
    _records = [{ id: 1, host: "first" }];
}

defineMailModels();
defineModels([Node]);

const LIST = `<list js_class="queue_job_workers_list"><field name="host"/></list>`;
const KANBAN = `<kanban js_class="queue_job_workers_kanban"><templates>
    <t t-name="card"><field name="host"/></t></templates></kanban>`;

function show(type, arch) {
    return mountView({ type, resModel: "node", arch });
}

function countLooks() {
    const looks = [];
    onRpc("node", "web_search_read", () => void looks.push(1));
    return looks;
}

test("the list looks again by itself", async () => {
    const looks = countLooks();
    await show("list", LIST);
    expect(".o_data_row").toHaveCount(1);
    await advanceTime(11_000);
    await advanceTime(11_000);
    expect(looks).toHaveLength(3);
});

test("and so do the cards", async () => {
    const looks = countLooks();
    await show("kanban", KANBAN);
    await advanceTime(11_000);
    expect(looks).toHaveLength(2);
});

test("paused is paused", async () => {
    browser.localStorage.setItem("queue_job.refresh", "paused");
    const looks = countLooks();
    await show("list", LIST);
    await advanceTime(60_000);
    expect(looks).toHaveLength(1);
});

test.tags("desktop");
test("what is selected stays", async () => {
    const looks = countLooks();
    await show("list", LIST);
    await contains(".o_data_row .o_list_record_selector input").click();
    await advanceTime(11_000);
    expect(looks).toHaveLength(1);
    expect(".o_data_row_selected").toHaveCount(1);
});

test("no server, and one that is away, are no error", async () => {
    Node._records = [];
    let away = false;
    onRpc("node", "web_search_read", () => {
        if (away) {
            throw new Error("away");
        }
    });
    await show("list", LIST);
    expect(".o_data_row").toHaveCount(0);
    away = true;
    await advanceTime(11_000);
    expect(".o_list_view").toHaveCount(1);
});
