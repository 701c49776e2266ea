"""Every public name of runs and studies and where it lives."""

from . import report as report
from .binning import binned_means as binned_means
from .config import RunConfig as RunConfig
from .correlation import correlations as correlations
from .correlation import early_against_final as early_against_final
from .measures import Measured as Measured
from .measures import measure as measure
from .nulltest import NullTest as NullTest
from .nulltest import against_nulls as against_nulls
from .plots import plot_corrections as plot_corrections
from .plots import plot_errors as plot_errors
from .record import Run as Run
from .regression import explained_variance as explained_variance
from .regression import usable_metrics as usable_metrics
from .replicates import noise_floor as noise_floor
from .replicates import setting_means as setting_means
from .runs import train as train
from .store import Store as Store
from .study import Study as Study
from .study import grid as grid
from .sweeping import SweepProgress as SweepProgress
from .sweeping import sweep as sweep
