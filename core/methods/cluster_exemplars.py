"""Only New-Fine-tune-CoT's first change: one exemplar per cluster, right or wrong; two calls each."""

from dataclasses import replace

from core.methods import new_fine_tune_cot

METHOD = replace(
    new_fine_tune_cot.METHOD,
    key="cluster-exemplars",
    order=50,
    title="Cluster exemplars",
    about="Only New-Fine-tune-CoT's first change: one exemplar per cluster, right or wrong; two calls each.",
    exemplar_rules="no-correction",
    options={"trigger": new_fine_tune_cot.METHOD.options["trigger"]},
)
