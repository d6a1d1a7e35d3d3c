"""Models that teachers and students run on this machine.

embedded    models that need no hub                    sources      a name → the folder of its checkpoint
loading     model and tokenizer, device and precision  generation   prompts → texts, batched
cache       keys and values that grow by blocks
"""
