"""Students: the small models, what they read and write, their fine-tuning and evaluation.

formats     what a student reads and writes            table        STUDENTS, one row each
encoding    rows → tokens and batches                  config       TrainConfig and its recipes
training    the loop, its evaluation                   checkpoints  what a run goes on from
child       the process that does the work, driven by files in a run folder

This module imports nothing heavy: `torch` is first imported by the child.
"""

from core.students.formats import FORMATS, Format

__all__ = ["FORMATS", "Format"]
