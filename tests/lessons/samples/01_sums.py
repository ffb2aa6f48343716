# %% [markdown]
# # 1. Sums: adding
#
# Reading 5 min, coding 10 min, discussion 0 min.
#
# - add two numbers
# - say why the order
#   does not matter

# %%
class Mistake(AssertionError):
    def _render_traceback_(self):
        return [str(self)]


# %% exercise="1.1"
def add(a, b):
    """The sum."""
    ### BEGIN SOLUTION: return the sum of "a" and b
    return a + b
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Python has a sign for it.
# </details>

# %% check="1.1" points=2
try:
    right = add(1, 1) == 2
except NotImplementedError as stub:
    raise Mistake(f"Not written yet. {stub}") from None
if not right:
    raise Mistake(f"1 + 1 is 2, but add says {add(1, 1)}.")
### BEGIN HIDDEN TESTS
assert add(2, 3) == 5
### END HIDDEN TESTS

# %% tags=["nbval-check-output"]
print("two and two is", 2 + 2)
