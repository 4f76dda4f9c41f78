"""What Temporal LoRA is: a frozen backbone, one LoRA adapter per epoch, a Time Mixer, and Active Sleep.

Pure torch and PEFT. Nothing here knows of files, jobs or windows.

Shapes in names: B batch, T tokens, H hidden size, V vocabulary, K epochs, S = K + 1 slots, R rank.
"""
