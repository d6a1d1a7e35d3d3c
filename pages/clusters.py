"""Clusters: every question as a point, one exemplar chosen per cluster, the settings behind both."""

from pages.components import clusters as ui
from pages.components import frame
from pages.components.review.author import choose_author

frame.title("Clusters", "Similar questions form a cluster; one question of each cluster becomes an exemplar.")
study = frame.needed_study()
rationales = ui.rationales(study)
if rationales is None:
    frame.empty(
        "Exemplars are chosen from the teacher's zero-shot rationales, and this study has none yet: "
        "have a teacher write them.",
        "generate",
    )

run = ui.choose_run(study)
with frame.errors():
    ui.ask(study, rationales, run)
    ui.watch(study)
    if run is not None:
        author = choose_author()
        ui.facts(run)
        ui.map_part(run, author)
frame.next_step("go through the exemplars one by one.", "review")
