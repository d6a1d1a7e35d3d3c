"""New-Fine-tune-CoT's second change: of the exemplars only those whose answer is right; two calls each."""

from dataclasses import replace

from core.methods import cluster_exemplars

METHOD = replace(
    cluster_exemplars.METHOD,
    key="heuristic-correction",
    order=60,
    title="Heuristic correction",
    about="New-Fine-tune-CoT's second change too: only exemplars with the right answer; two calls each.",
    exemplar_rules="paper",
)
