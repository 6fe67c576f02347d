import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("queue_job_requeue", {
    steps: () => [
        {
            content: "the list shows the failed job; open it",
            trigger: ".o_list_view .o_data_row .o_data_cell:contains(A job that failed)",
            run: "click",
        },
        {
            content: "the form says why it failed",
            trigger: ".o_form_view .alert-danger:contains(the reason)",
        },
        {
            content: "the state is shown",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Failed)",
        },
        {
            content: "run it again",
            trigger: ".o_form_view button[name=requeue]",
            run: "click",
        },
        {
            content: "it waits now, and the error is gone",
            trigger:
                ".o_form_view:not(:has(.alert-danger)) .o_statusbar_status .o_arrow_button_current:contains(Pending)",
        },
    ],
});
