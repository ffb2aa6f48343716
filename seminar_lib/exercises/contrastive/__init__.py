"""The checks of lessons 05 and 06: NT-Xent, C-LEAD's joint loss, SupCon, and the weights of hard positives."""

from seminar_lib.exercises.contrastive.classes import check_sup_con
from seminar_lib.exercises.contrastive.hardness import check_weights
from seminar_lib.exercises.contrastive.joint import check_joint_loss
from seminar_lib.exercises.contrastive.pairs import check_nt_xent

__all__ = ["check_joint_loss", "check_nt_xent", "check_sup_con", "check_weights"]
