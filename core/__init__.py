"""The lab's core: how a benchmark becomes a small model that reasons.

datasets ─Question→ teachers ─Completion→ (exemplars ─Exemplar→ review ─Decision→)
         students (training set → fine-tune) ─Prediction→ results

`methods` says which prompts the teacher gets and what the student reads and writes. Every stage is
a function from records to records; `store` keeps them, `jobs` runs them durably, `commands` and the
Streamlit pages start them. Nothing in here imports streamlit.
"""
