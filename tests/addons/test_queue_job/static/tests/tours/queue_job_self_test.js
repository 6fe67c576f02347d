import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("queue_job_self_test", {
    steps: () => [
        {
            content: "The list says that nothing will run, and the line to add",
            trigger: ".o_queue_job_banner:contains('no runner is connected'):contains('--load=')",
        },
        {
            content: "It is above the list, as wide as that, and not beside it",
            trigger: ".o_queue_job_banner",
            run({ anchor }) {
                const list = document.querySelector(".o_list_view .o_list_renderer");
                if (anchor.offsetWidth < 0.9 * list.offsetWidth) {
                    throw new Error(`${anchor.offsetWidth} of ${list.offsetWidth} pixels`);
                }
            },
        },
        {
            content: "Ask what is wrong",
            trigger: "button[name='action_self_test']",
            run: "click",
        },
        {
            content: "The dialog names it",
            trigger: ".modal .alert-danger:contains('no runner is connected')",
        },
        {
            content: "Close it",
            trigger: ".modal footer button[special='cancel'], .modal footer .btn-secondary",
            run: "click",
        },
        {
            content: "Back in the list",
            trigger: "body:not(:has(.modal)) .o_list_view",
        },
    ],
});
