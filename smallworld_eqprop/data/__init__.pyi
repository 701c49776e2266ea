"""Every public name of the data and where it lives."""

from .base import Data as Data
from .columns import Columns as Columns
from .columns import Scaling as Scaling
from .dataset import Dataset as Dataset
from .datasets import DATASETS as DATASETS
from .datasets import load as load
from .files import FileData as FileData
from .npz import Npz as Npz
from .rows import SparseRows as SparseRows
from .spec import Named as Named
from .spec import named as named
from .table_files import Csv as Csv
from .table_files import Parquet as Parquet
from .transforms import Chain as Chain
from .transforms import Dropout as Dropout
from .transforms import Shift as Shift
from .transforms import Transform as Transform
