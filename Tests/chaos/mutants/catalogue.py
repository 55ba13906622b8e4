"""All mutants, by name."""

from mutants.failovers import FAILOVERS
from mutants.found import FOUND
from mutants.scripts import SCRIPTS
from mutants.steps import STEPS

# The longest trials come first, so that at the end none runs alone.
MUTANTS = {mutant.name: mutant for mutant in FAILOVERS + SCRIPTS + STEPS + FOUND}
