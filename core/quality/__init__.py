"""Is a rationale sound, and do the rationales of a question differ?

arithmetic  every `a op b = c` of a text, recomputed
checks      CHECKS: one small function a row, rationale in, flags out
diversity   how alike the rationales of a question are, and how to keep different ones
"""
