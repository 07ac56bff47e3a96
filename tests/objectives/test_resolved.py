"""What an objective takes from the data, and forgets with them."""

from conftest import small
from vaelab.data import Dataset
from vaelab.training import TrainingData
from vaelab.training.beginning import resolve


def test_the_training_images_are_counted_for_the_total_correlation(few_digits: Dataset):
    config = small("tutorial", **{"objective.kind": "total-correlation"})
    resolved = resolve(config, TrainingData.from_dataset(few_digits, config.data))
    assert config.objective.images is None
    assert resolved.objective.images == 700
    assert resolved.with_values({"data.name": "digits"}).objective.images is None
    elbo = resolve(small("tutorial"), TrainingData.from_dataset(few_digits, config.data)).objective
    assert elbo == small("tutorial").objective
