# %% [markdown]
# # 2. Pictures
#
# *Reading 1 min, coding 0 min, discussion 2 min.*
#
# - look

# %%
# Picture: a single grey pixel,
# drawn large.
from IPython.display import Image, display
from ipywidgets import IntSlider

display(
    Image(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
            "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
        )
    )
)
IntSlider(description="eps")
