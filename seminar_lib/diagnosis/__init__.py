"""Is this model robust, or does it only hide its gradient? Checks that an evaluation has to pass to be believed.

- the sanity checks of Carlini et al., "On Evaluating Adversarial Robustness", arXiv:1902.06705, 2019;
- the six indicators of Pintor et al., "Indicators of Attack Failure: Debugging and Improving Optimization of
  Adversarial Examples", NeurIPS 2022;
- the flags of AutoAttack (Croce & Hein, ICML 2020), which are in ``attacks/flags.py``;
- one of our own, for shattered gradients (Athalye et al., ICML 2018, section 3): does a step along the gradient raise
  the margin as its slope promises?

An alarm does not say that a model is weak; it says that the attack cannot tell. Where the checks recognise a trick
they name it, together with the adaptive attack that undoes it.
"""

from seminar_lib.diagnosis.examination import diagnose
from seminar_lib.diagnosis.report import ALARM, OK, OPEN, Check, Diagnosis

__all__ = ["ALARM", "OK", "OPEN", "Check", "Diagnosis", "diagnose"]
