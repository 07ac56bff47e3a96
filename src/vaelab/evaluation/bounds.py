"""What an evaluation and a diagnosis may cost, in images, samples and decoded pixels: never in seconds, so that a number does not depend on
the machine. What a bound left out is said beside the number. (Quadrature has bounds of its own, and principal components.)
"""

IMPORTANCE_SAMPLES = 500
SAMPLED_PIXELS = 4_000_000_000
"""Decoded pixels of importance sampling where K is not asked for by name: 10,000 images of 28 x 28 at 500 draws each, the first 650 of
64 x 64 in colour."""
CHECKED_PIXELS = 400_000_000
"""The same where quadrature has the exact number, and the samples only check it: the first 1,000 images of 28 x 28."""
SAMPLES = 10_000
MEMORISATION_SAMPLES = 1000
COMPARED_PIXELS = 100_000_000_000
"""Pixels of the pairs of an image and a training image: 1,000 samples and as many held-out images against MNIST's 60,000."""
SMALLEST_SAMPLE = 20
"""Images: fewer tell nothing of sample quality."""

MOST_HELD_OUT, MOST_TRAINING = 10_000, 60_000
"""Posteriors of a prior's fit, the first ones: with 10,000 draws of the prior at most 1.3 billion pairs of a point and a posterior."""
CHECKED_IMAGES, CHECKED_TRAINING_IMAGES = 2000, 10_000
"""The first held-out and training images: what a diagnosis looks at."""
CHECKED_DRAWS = 4000
"""Of the prior, in a diagnosis."""
