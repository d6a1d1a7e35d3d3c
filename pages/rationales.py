import streamlit as st

st.title("rationales")
