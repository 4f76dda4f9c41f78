"""Temporal LoRA: a frozen backbone, one LoRA adapter per epoch, a Time Mixer, and Active Sleep.

How a token travels, in :meth:`model.TemporalLoRA.forward`:

1. The blocks below ``mixer_layer`` read it as they did before any epoch: no adapter works there, so what comes out,
   ``hidden_BTH``, never changes when epochs are added (``layers``: which linear layers have adapters). If an adapter
   from elsewhere lies there too, they read it once more under the weights of step 3, with a cache of their own.
2. The Time Mixer reads ``hidden_BTH`` and gives a logit per slot, in the context of the tokens before it: slot 0 is
   the backbone alone, slot k the k-th epoch (``time_mixer``).
3. The blend that was asked for makes ``weights_BTS`` of them, rows that sum to 1: the mixer's own, one slot's, fixed
   ones, or what a person makes of the mixer's (``blend``).
4. Every adapted layer of the blocks above adds Σ_k w_k · s_k · B_k A_k x in two matrix products (``lora``).
5. The output layer gives ``logits_BTV``; the cache and the mixer's state let the next token go on (``cache``).

An epoch learns as plain LoRA does, by next-token loss, while its slot is the last one and all earlier adapters are
frozen (``cross_entropy``); the mixer learns to route to it, and Active Sleep keeps what it knew: a frozen teacher, and
memories of the router's inputs (``active_sleep``). Settings of all of it are in ``config``.

Nothing here knows of files, jobs or windows, and it imports nothing else of this project.

Shapes in names: B batch, T tokens, H hidden size, V vocabulary, K epochs, S = K + 1 slots, R rank, C rows of all ranks,
W a window of memory or the router's width, N whatever is counted.
"""
