"""Diffusion: from images to noise, and back to images."""
