"""Rationales: all completions of a generation, one by one or by question; and one of them in full."""

from pages.components import adaptive, diversity, frame
from pages.components import rationales as ui
from pages.components.generate import figures

frame.title("Rationales")
study = frame.needed_study()
run = ui.choose_generation(study)
if run is None:
    frame.empty("This study has no rationales yet. Have a teacher write some.", "generate")

figures(run)
adaptive.part(run)
if diversity.by_question(run):
    with frame.errors():
        diversity.show(study, run)
else:
    ui.browse(run)
frame.next_step("fine-tune a student on the correct ones.", "train")
