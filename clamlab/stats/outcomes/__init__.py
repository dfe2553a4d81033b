"""What the clusters mean clinically: associations, adjusted means, and how far to believe them."""

from clamlab.stats.outcomes.associations import outcome_associations
from clamlab.stats.outcomes.diagnostics import model_diagnostics
from clamlab.stats.outcomes.imputation import imputed_associations
from clamlab.stats.outcomes.means import adjusted_means, associations_with_means
from clamlab.stats.outcomes.model_comparison import compare_models
from clamlab.stats.outcomes.partitions import compare_partitions, partitions_sentence
from clamlab.stats.outcomes.summary import summary_sentence
from clamlab.stats.outcomes.uncertainty import associations_across

__all__ = [
    "adjusted_means",
    "associations_across",
    "associations_with_means",
    "compare_models",
    "compare_partitions",
    "imputed_associations",
    "model_diagnostics",
    "outcome_associations",
    "partitions_sentence",
    "summary_sentence",
]
