"""Every public name of networks and relaxation and where it lives."""

from .circuit import Circuit as Circuit
from .circuit import Nudge as Nudge
from .contrast import Contrast as Contrast
from .contrast import Gradient as Gradient
from .energies import energy as energy
from .euler import Euler as Euler
from .initial import Initial as Initial
from .initial import initial_weights as initial_weights
from .models import Hopfield as Hopfield
from .models import Model as Model
from .models import Resistive as Resistive
from .models import WeakFeedback as WeakFeedback
from .multistability import Attractors as Attractors
from .multistability import attractors as attractors
from .network import Network as Network
from .relaxation import Relaxation as Relaxation
from .relaxation import Solver as Solver
from .relaxation import Status as Status
from .sharing import threads as threads
from .sor import SOR as SOR
from .sweeps import Sweeps as Sweeps
