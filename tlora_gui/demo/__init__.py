"""The whole loop on real data, played in the window from outside, as a person would play it."""
