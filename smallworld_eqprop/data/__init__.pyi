"""Every public name of the data and where it lives, as in the package's own __init__.pyi."""

from .base import Data as Data
from .datasets import DATASETS as DATASETS
from .datasets import TASKS as TASKS
from .datasets import Dataset as Dataset
from .datasets import load as load
from .npz import Npz as Npz
from .spec import DATA as DATA
from .spec import Named as Named
from .spec import named as named
from .table_files import Csv as Csv
from .table_files import Parquet as Parquet
