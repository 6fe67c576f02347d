import inspect

from odoo import _, api, fields, models

from ..core.codec import DamagedError
from ..core.masking import Shown, mask_text
from ..core.payload import as_python, describe_call, describe_records, record_ids
from ..decorator import JOB_REGISTRY
from ..roles import OPERATOR

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

MOST_NAMES = 50
"""Positional arguments that are told apart by their names; a function takes no more."""


class QueueJob(models.Model):
    """The call of a job as its reader may see it."""

    _inherit = "queue.job"

    payload = fields.Json(
        "Payload",
        compute="_compute_payload",
        help="Viewers see the names of the arguments, others also the values that are no secret",
    )

    @api.depends_context("uid", "lang", "allowed_company_ids")
    @api.depends("args", "kwargs")
    def _compute_payload(self):
        operates = self.env.user.has_group(OPERATOR)
        shown = Shown.NO_SECRETS if self.env.su or operates else Shown.NOTHING
        for job in self:
            job.payload = job._payload(shown) if job._origin else False

    def _payload(self, shown):
        """Return the call as text with its records, and its arguments as a tree."""
        try:
            args, kwargs = self._stored("args"), self._stored("kwargs")
            target = describe_records(self._stored("records") if self.model_name else None)
        except DamagedError:
            # What the error says has a part of the text in it, which may be a secret.
            return {"error": _("The arguments cannot be read: the row was changed by hand.")}
        functions = self._declarations()
        # Of code that is gone nobody knows what it would have hidden.
        shown = shown if functions else Shown.NOTHING
        names, named = _parameters(functions)
        nodes = describe_call(args, kwargs, names, shown, named)
        titles = self._record_titles([target, *nodes])
        tokens = as_python(target, self.method_name or "", nodes)
        return {
            "call": [self._token(token, titles) for token in tokens if token.text],
            "arguments": [self._node(node, titles) for node in nodes],
            "masked": shown is Shown.NOTHING,
        }

    @api.model
    def _token(self, token, titles):
        """Return a piece of the call for the screen."""
        title = titles.get((token.model, token.id))
        if title is None:
            return {"text": token.text}
        return {"text": token.text, "model": token.model, "id": token.id, "title": title}

    @api.model
    def _node(self, node, titles):
        """Return a value for the screen."""
        return {
            "kind": node.kind,
            "text": node.text,
            "name": node.name or node.label,
            "size": node.size,
            "parts": [self._node(part, titles) for part in node.parts],
            "model": node.model,
            "records": [
                {"id": number, "title": titles.get((node.model, number), False)}
                for number in node.ids
            ],
        }

    @api.model
    def _record_titles(self, nodes):
        """Return the titles of those records that the user may read, by model and id."""
        titles = {}
        for model, ids in record_ids(nodes).items():
            if model not in self.env or self.env[model]._abstract:
                continue
            records = self.env[model].browse(ids).exists()._filtered_access("read")
            titles.update(((model, record.id), record.display_name) for record in records)
        return titles

    def _declarations(self):
        """Return the function of the job, or its method in each class that has it."""
        return self._declared(self.model_name, self.method_name or "")

    @api.model
    def _declared(self, model, method):
        """Return the function of a name, or the method in each class of a model that has it."""
        if not model:
            function = JOB_REGISTRY.get(method)
            return [function] if function else []
        if model not in self.env:
            return []
        found = (vars(cls).get(method) for cls in type(self.env[model]).__mro__)
        return [function for function in found if callable(function)]

    @api.model
    def _masked(self, text, model, method):
        """Return what a job says to all who see it, without what is secret.

        :param str text: message of an error
        :param str model: of the job; ``None`` for a function
        :param str method: of the job, or its function
        """
        functions = self._declared(model, method or "")
        return mask_text(text, {name for one in functions for name in getattr(one, "mask", ())})


def _parameters(functions):
    """Return what code calls its positional arguments, and what it says is secret.

    Who overrides a method may call them by other names, or by none: each that declares it is asked.
    """
    names = [[] for _number in range(MOST_NAMES)]
    named, known = set(), 0
    for function in functions:
        named.update(getattr(function, "mask", ()))
        known = max(known, _add_names(names, function))
    return names[:known], named


def _add_names(names, function):
    """Add the names of a function's positional arguments, and return how many it takes."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[1:]
    except (TypeError, ValueError):
        return 0
    place = 0
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            for rest in names[place:]:
                rest.append(parameter.name)
            return MOST_NAMES
        if parameter.kind in POSITIONAL and place < MOST_NAMES:
            names[place].append(parameter.name)
            place += 1
    return place
