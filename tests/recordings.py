"""Where recordings lie in the folder that the fixture `recorded` gives."""

from __future__ import annotations

# text-davinci-002's zero-shot rationales (Ho et al. 2023), a file D_addsub.json, … a benchmark
DAVINCI = "reasoning-teacher/completion_data/B_text-davinci-002__C_zs_cot"

# logs of Zero-shot-CoT (Kojima et al. 2022): name → benchmark
LOGS = {
    "addsub": "addsub",
    "date_understanding": "date_understanding",
    "last_letters": "last_letter_concatenation",
    "multiarith": "multiarith",
    "shuffled_objects": "tracking_shuffled_objects",
    "singleeq": "single_eq",
}
